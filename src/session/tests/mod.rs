//! The promises that the session keeps.
