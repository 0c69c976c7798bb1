#!/bin/bash
# A real systemd as process 1 of namespaces of its own, on a throw-away copy of the root file
# system, for tests that need units to start, break and stop without touching this host.
#
#   systemd-box.sh check                      0 when a box can run here, else 1 and the reason
#   systemd-box.sh up                         boots one; the last line printed is its folder, BOX
#   systemd-box.sh sh BOX COMMAND…            runs a command inside
#   systemd-box.sh copy BOX SOURCE TARGET     copies a file or folder of the host into it
#   systemd-box.sh install BOX BINARY         the lifeguard command and its unit, not started
#   systemd-box.sh down BOX                   ends it; a second call does nothing
#
# Every mount lives in the box's own mount namespace and every process in its own control group,
# so ending the processes ends the mounts, and nothing can be left on the host but the group and
# BOX, which `down` removes. A box whose owner (the process that called `up`) is gone is removed by
# the next `up`. Any number of boxes run side by side: each has its network (loopback only).
#
# /tmp and /run inside are new; of the host only its root file system is seen.
#
# shellcheck disable=SC2016  # the quoted programs below expand their variables themselves
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly boxes=${TMPDIR:-/tmp}
readonly boot_seconds=${SYSTEMD_BOX_BOOT_SECONDS:-60}
readonly box_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
systemd=/lib/systemd/systemd

fail() {
  echo "$*" >&2
  exit 1
}

# Field 22 of /proc/PID/stat: with the pid it names one process for ever (proc(5)).
start_time() {
  local line
  { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 1
  local -a fields
  read -r -a fields <<< "${line##*) }"
  echo "${fields[19]}"
}

# Runs a command with the cgroup v2 hierarchy mounted at $cgroups, in a mount namespace that ends
# with it: the host may have v1 only, v2 at a place of its own, or both.
with_cgroups() {
  unshare --mount --propagation private bash -c '
    set -e
    mount -t tmpfs -o mode=700 tmpfs /mnt
    mkdir /mnt/cgroups
    mount -t cgroup2 cgroup2 /mnt/cgroups
    export cgroups=/mnt/cgroups
    cd /
    exec "$@"' with_cgroups "$@"
}

check() {
  [ "$(id -u)" = 0 ] || { echo "needs root for a systemd box: run \`make test\` as root"; return 1; }
  [ -x "$systemd" ] || { echo "needs systemd: run scripts/setup.sh test"; return 1; }
  local program
  for program in dbus-daemon unshare nsenter tar ip flock; do
    command -v "$program" > /dev/null || {
      echo "needs $program for a systemd box: run scripts/setup.sh test"
      return 1
    }
  done
  unshare --fork --pid --mount --uts --ipc --net --cgroup true 2> /dev/null || {
    echo "needs namespaces for a systemd box: this kernel or container refuses unshare(2)"
    return 1
  }
  unshare --mount --propagation private bash -c '
    mount -t tmpfs tmpfs /mnt && mkdir /mnt/up /mnt/work /mnt/root &&
    mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work overlay /mnt/root' \
    2> /dev/null || {
    echo "needs an overlay file system for a systemd box: mount(2) refuses one"
    return 1
  }
  # The probe group's name is this process's, so that checks may run side by side.
  with_cgroups bash -c 'mkdir "$cgroups/$1" && rmdir "$cgroups/$1"' _ "lifeguard-check-$$" \
    2> /dev/null || {
    echo "needs a writable cgroup v2 hierarchy for a systemd box"
    return 1
  }
}

# Writes the program that becomes process 1. It runs in the new namespaces, below the host's root.
write_init() {
  cat > "$1/init.sh" << 'INIT'
#!/bin/bash
set -euo pipefail
box=$1
mount --make-rprivate /
# The host's /proc still stands here, so this is the pid that the host knows us by.
read -r pid _ < /proc/self/stat
mount -t tmpfs -o mode=755 tmpfs "$box/fs"
mkdir "$box/fs/up" "$box/fs/work" "$box/fs/root"
mount -t overlay overlay \
  -o "lowerdir=/,upperdir=$box/fs/up,workdir=$box/fs/work" "$box/fs/root"
root=$box/fs/root
units=$root/etc/systemd/system
lib=$root/lib/systemd

# Nothing that is installed on the host may start by itself.
find "$units" -mindepth 1 -maxdepth 1 \( -name '*.wants' -o -name '*.requires' \) \
  -exec rm -rf {} +
rm -rf "$root"/etc/rc?.d/S* "$root"/etc/init.d/*
mkdir -p "$root/etc/systemd/system-generators"
for generator in "$lib"/system-generators/*; do
  ln -sf /dev/null "$root/etc/systemd/system-generators/${generator##*/}"
done
for unit in "$lib"/system/multi-user.target.wants/* "$lib"/system/graphical.target.wants/*; do
  case ${unit##*/} in
    dbus.service | '*') ;;
    *) ln -sf /dev/null "$units/${unit##*/}" ;;
  esac
done
# sysctls, modules, devices and the audit log belong to the host: no namespace confines them.
for unit in getty.target systemd-sysctl.service systemd-modules-load.service \
  systemd-binfmt.service systemd-remount-fs.service proc-sys-fs-binfmt_misc.automount \
  systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
  systemd-udevd-kernel.socket systemd-timesyncd.service systemd-logind.service \
  systemd-journald-audit.socket systemd-random-seed.service systemd-firstboot.service \
  systemd-pstore.service kmod-static-nodes.service systemd-tmpfiles-setup-dev.service; do
  ln -sf /dev/null "$units/$unit"
done
rm -f "$root/etc/machine-id"
: > "$root/etc/machine-id"
: > "$root/etc/fstab"
echo "box" > "$root/etc/hostname"
printf '127.0.0.1 localhost box\n' > "$root/etc/hosts"

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
ip link set lo up
echo "$pid" > "$box/pid.new"
mv "$box/pid.new" "$box/pid"
cd "$root"
pivot_root . mnt
umount -l /mnt
exec env -i container=lifeguard-box LANG=C.UTF-8 \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=multi-user.target --show-status=no < /dev/null
INIT
}

# Removes boxes whose owner is gone: a test run that was killed cannot take its boxes down.
sweep() {
  local box pid started
  for box in "$boxes"/systemd-box.*; do
    [ -f "$box/owner" ] || continue
    { read -r pid started < "$box/owner"; } 2> /dev/null || continue
    [ "$(start_time "$pid" || true)" = "$started" ] || down "$box" || true
  done
}

up() {
  local reason box name state pid deadline
  reason=$(check) || fail "$reason"
  sweep
  box=$(mktemp -d "$boxes/systemd-box.XXXXXX")
  name=$(group_name "$box")
  # Whatever fails below, nothing of the attempt stays.
  trap 'down "$box" || true' EXIT
  echo "$PPID $(start_time "$PPID")" > "$box/owner"
  mkdir "$box/fs"
  write_init "$box"
  with_cgroups bash -c 'mkdir "$cgroups/$1"' _ "$name"
  with_cgroups setsid bash -c '
    echo 0 > "$cgroups/$1/cgroup.procs"
    umount -l /mnt/cgroups /mnt
    exec unshare --fork --pid --mount --uts --ipc --net --cgroup bash "$2/init.sh" "$2"
  ' _ "$name" "$box" > "$box/log" 2>&1 < /dev/null &
  deadline=$((SECONDS + boot_seconds))
  state=
  while [ "$SECONDS" -lt "$deadline" ]; do
    if [ -s "$box/pid" ]; then
      pid=$(cat "$box/pid")
      state=$(timeout 5 nsenter -t "$pid" -a systemctl is-system-running 2> /dev/null || true)
      case $state in
        running | degraded) break ;;
      esac
    elif ! kill -0 $! 2> /dev/null; then
      break
    fi
    sleep 0.05
  done
  case $state in
    running | degraded) ;;
    *)
      tail -20 "$box/log" >&2
      fail "systemd box: not up after $boot_seconds s: state \"$state\""
      ;;
  esac
  start_time "$pid" > "$box/started"
  with_cgroups bash -c 'mkdir -p "$cgroups/$1/shell"' _ "$name"
  trap - EXIT
  echo "$box"
}

group_name() {
  echo "lifeguard-${1##*/}"
}

# The pid of a box's process 1, after making sure that it still is that process.
box_pid() {
  local pid
  [ -s "$1/started" ] || fail "systemd box: $1 is not up"
  pid=$(cat "$1/pid")
  [ "$(start_time "$pid" || true)" = "$(cat "$1/started")" ] || fail "systemd box: $1 has ended"
  echo "$pid"
}

# The command joins a group inside the box's own, so that `down` ends it and what it started.
inside() {
  local box=$1 pid
  shift
  pid=$(box_pid "$box")
  with_cgroups bash -c '
    echo 0 > "$cgroups/$1/shell/cgroup.procs"
    pid=$2 path=$3
    shift 3
    exec nsenter -t "$pid" -a env -i PATH="$path" HOME=/root LANG=C.UTF-8 "$@"
  ' _ "$(group_name "$box")" "$pid" "$box_path" "$@"
}

copy() {
  local box=$1 source=$2 target=$3 mode
  if [ -d "$source" ]; then
    inside "$box" mkdir -p "$target"
    tar -C "$source" --owner=0 --group=0 -cf - . | inside "$box" tar -C "$target" -xf -
  else
    mode=$(stat -L -c %a "$source")
    inside "$box" install -D -m "$mode" /dev/stdin "$target" < "$source"
  fi
}

install_lifeguard() {
  local box=$1 binary=$2
  copy "$box" "$binary" /usr/bin/lifeguard
  copy "$box" "$here/../../../deploy/systemd/lifeguard.service" \
    /etc/systemd/system/lifeguard.service
  copy "$box" "$here/../../../deploy/systemd/lifeguard.sysusers.conf" \
    /usr/lib/sysusers.d/lifeguard.conf
  inside "$box" systemd-sysusers lifeguard.conf
  inside "$box" mkdir -p /etc/lifeguard
  inside "$box" systemctl daemon-reload
}

down() {
  local box=$1 pid name
  [ -d "$box" ] || return 0
  name=$(group_name "$box")
  # The group's own kill file (Linux 5.14) reaches everything at once; before that, ending
  # process 1 of the pid namespace ends the rest.
  if [ -s "$box/pid" ] && [ -s "$box/started" ]; then
    pid=$(cat "$box/pid")
    [ "$(start_time "$pid" || true)" != "$(cat "$box/started")" ] || kill -9 "$pid" || true
  fi
  with_cgroups bash -c '
    group=$cgroups/$1
    [ -d "$group" ] || exit 0
    for _ in $(seq 200); do
      { echo 1 > "$group/cgroup.kill"; } 2> /dev/null || true
      grep -q "populated 1" "$group/cgroup.events" || break
      sleep 0.05
    done
    for _ in $(seq 100); do
      find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true
      [ -d "$group" ] || exit 0
      sleep 0.05
    done
    echo "systemd box: the control group $1 is still in use" >&2
    exit 1' _ "$name"
  rm -rf --one-file-system "$box"
}

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

[ $# -ge 1 ] || usage
command=$1
shift
case $command in
  check) check ;;
  up) up ;;
  sh) [ $# -ge 2 ] || usage; inside "$@" ;;
  copy) [ $# -eq 3 ] || usage; copy "$@" ;;
  install) [ $# -eq 2 ] || usage; install_lifeguard "$@" ;;
  down) [ $# -eq 1 ] || usage; down "$1" ;;
  *) usage ;;
esac
