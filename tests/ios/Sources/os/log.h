// A stand-in for os/log.h: empty, see the module map.
