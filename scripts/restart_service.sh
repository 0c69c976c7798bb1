#!/bin/sh
# Restarts a service and says what it did: an example of a recovery script.
#
#   restart_service.sh NAME          or with the name in $LIFEGUARD_SERVICE or $SERVICE_NAME
#
# Uses systemd where it runs, else OpenRC, else the init script in /etc/init.d. When a restart fails
# it tries a stop and a start once. Exit status: 0 the service was restarted and is running; 1 it
# was not; 2 the call is wrong; 3 there is no such service; 4 there is no known init system.
set -u

say() { printf 'restart_service: %s\n' "$*"; }

fail() {
  status=$1
  shift
  printf 'restart_service: %s\n' "$*" >&2
  exit "$status"
}

name=${1:-${LIFEGUARD_SERVICE:-${SERVICE_NAME:-}}}
[ $# -le 1 ] || fail 2 "expected one service name, got $# arguments"
[ -n "$name" ] || fail 2 "no service named; pass it as argument or set LIFEGUARD_SERVICE"

# A name becomes an argument and part of a path: letters, digits and . _ @ : - only, not first - or .
case $name in
  -* | .* | *[!A-Za-z0-9._@:-]*) fail 2 "invalid service name: $name" ;;
esac

# Where tests and unusual systems have them.
init_scripts=${INIT_SCRIPTS:-/etc/init.d}
systemd_running=${SYSTEMD_RUNNING:-/run/systemd/system}

restart_with_systemd() {
  unit=$name
  case $unit in *.*) ;; *) unit=$unit.service ;; esac
  load=$(systemctl show -p LoadState --value -- "$unit") || fail 1 "systemd does not answer"
  case $load in
    loaded) ;;
    masked) fail 1 "$unit is masked; somebody wants it to be down" ;;
    *) fail 3 "systemd has no unit $unit ($load)" ;;
  esac
  # A unit past its start limit refuses every start until its counter is reset.
  systemctl reset-failed -- "$unit" 2>/dev/null || true
  if systemctl restart -- "$unit"; then
    how=restarted
  else
    say "restarting $unit failed, stopping and starting it"
    systemctl stop -- "$unit" || true
    systemctl reset-failed -- "$unit" 2>/dev/null || true
    systemctl start -- "$unit" || fail 1 "$unit could not be started; see: journalctl -u $unit"
    how='stopped and started'
  fi
  systemctl is-active --quiet -- "$unit" || fail 1 "$unit was $how and is not active"
  say "$unit was $how with systemd"
}

restart_with_openrc() {
  [ -e "$init_scripts/$name" ] || fail 3 "OpenRC has no service $name in $init_scripts"
  if rc-service "$name" restart; then
    how=restarted
  else
    say "restarting $name failed, stopping and starting it"
    rc-service "$name" stop || true
    rc-service "$name" zap || true
    rc-service "$name" start || fail 1 "$name could not be started with OpenRC"
    how='stopped and started'
  fi
  rc-service "$name" status >/dev/null 2>&1 || fail 1 "$name was $how and is not running"
  say "$name was $how with OpenRC"
}

restart_with_init_script() {
  script=$init_scripts/$name
  [ -x "$script" ] || fail 3 "there is no init script $script"
  if "$script" restart; then
    how=restarted
  else
    say "restarting $name failed, stopping and starting it"
    "$script" stop || true
    "$script" start || fail 1 "$name could not be started with $script"
    how='stopped and started'
  fi
  # Status 3 of the Linux Standard Base is "not running"; scripts without a status command give
  # others, which say nothing.
  "$script" status >/dev/null 2>&1
  [ $? -ne 3 ] || fail 1 "$name was $how and is not running"
  say "$name was $how with $script"
}

if [ -d "$systemd_running" ] && command -v systemctl >/dev/null 2>&1; then
  restart_with_systemd
elif command -v rc-service >/dev/null 2>&1; then
  restart_with_openrc
elif [ -d "$init_scripts" ]; then
  restart_with_init_script
else
  fail 4 "neither systemd, OpenRC nor $init_scripts was found"
fi
