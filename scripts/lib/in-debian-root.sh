# Runs a command inside a root folder, with /proc, /dev and the named folders of this machine; what it mounts goes with it.
# in-debian-root.sh ROOT WORKING-FOLDER NUMBER-OF-FOLDERS [FOLDER...] [NAME=VALUE...] COMMAND [ARGUMENT...]
set -e
root=$1 folder=$2 count=$3
shift 3
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
while [ "$count" -gt 0 ]; do
  mkdir -p "$root$1"
  mount --bind "$1" "$root$1"
  shift
  count=$((count - 1))
done
exec chroot "$root" env --ignore-environment --chdir="$folder" "$@"
