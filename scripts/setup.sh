#!/bin/bash
# Makes sure that this machine has what a purpose needs: scripts/setup.sh run|test|bench
#
# Lists the system packages that are missing (scripts/system-packages.txt). Root installs them;
# anybody else is told the one command to type. Nothing that is installed is left running or
# enabled: the daemons among them are wanted as programs, for tests to start their own.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
list=$root/scripts/system-packages.txt
purpose=${1:-run}

# Prints the lines of one section of the list.
section() {
  awk -v want="[$1]" '/^\[/ {inside = ($0 == want); next} inside && NF && !/^#/' "$list"
}

# `debian`, `ubuntu`, … (os-release(5)).
distribution() {
  sed -n 's/^ID="\{0,1\}\([a-z0-9._-]*\)"\{0,1\}$/\1/p' /etc/os-release
}

wanted() {
  section run
  case $purpose in
    run) ;;
    test | bench)
      section "$purpose"
      section "$purpose-$(distribution)"
      ;;
    *)
      echo "setup: unknown purpose \"$purpose\"; choose run, test or bench" >&2
      exit 2
      ;;
  esac
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

missing() {
  local line alternative
  wanted | sort -u | while read -r line; do
    for alternative in ${line//|/ }; do
      if is_installed "$alternative"; then continue 2; fi
    done
    echo "${line%%|*}"
  done
}

installed_packages() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' | awk '$1 == "installed" {print $2}' | sort
}

# Debian starts a daemon when its package is installed unless this policy says no (101: forbidden
# by policy, /usr/share/doc/init-system-helpers/README.policy-rc.d.gz).
policy=/usr/sbin/policy-rc.d
policy_saved=
forbid_starts() {
  if [ -e "$policy" ]; then
    policy_saved=$(mktemp)
    cp -a "$policy" "$policy_saved"
  fi
  trap allow_starts EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
}

allow_starts() {
  if [ -n "$policy_saved" ]; then
    cp -a "$policy_saved" "$policy"
    rm -f "$policy_saved"
  else
    rm -f "$policy"
  fi
}

# A package enables its units for the next boot; those that came just now are switched off again.
disable_units_of() {
  local package unit
  command -v systemctl > /dev/null || return 0
  for package in "$@"; do
    case $package in
      systemd* | dbus* | udev | util-linux* | e2fsprogs) continue ;;
    esac
    dpkg -L "$package" 2> /dev/null |
      sed -n 's#^\(/usr\)\{0,1\}/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\)\)$#\2#p' |
      while read -r unit; do
        systemctl disable --quiet "$unit" > /dev/null 2>&1 ||
          echo "setup: could not disable $unit, which came with $package" >&2
      done
  done
}

install_packages() {
  local before
  before=$(mktemp)
  installed_packages > "$before"
  forbid_starts
  export DEBIAN_FRONTEND=noninteractive
  local quiet=(-qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  apt-get "${quiet[@]}" update
  apt-get "${quiet[@]}" install -y --no-install-recommends "$@" < /dev/null
  # Word splitting is wanted: one argument a package.
  # shellcheck disable=SC2046
  disable_units_of $(installed_packages | comm -13 "$before" -)
  rm -f "$before"
}

# The peers that come from PyPI live in an environment of their own, never in the system's.
python_peers() {
  local requirements=$root/scripts/test-requirements.txt folder=$root/.build/venv stamp
  # Those for the checks of deploy/, and those of which a single file is wanted, which come without
  # what they would need to run.
  local aws=$root/scripts/test-requirements-aws.txt bare=$root/scripts/test-requirements-bare.txt
  [ -s "$requirements" ] || return 0
  stamp=$folder/requirements.txt
  cat "$requirements" "$aws" "$bare" | cmp -s - "$stamp" && return 0
  echo "setup: installing the Python peers into .build/venv"
  rm -rf "$folder"
  mkdir -p "$root/.build"
  # The system's own Python, because a version manager's may vanish from under the environment.
  local python=/usr/bin/python3
  [ -x "$python" ] || python=python3
  if "$python" -m venv "$folder" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check \
      -r "$requirements" -r "$aws" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$bare"; then
    cat "$requirements" "$aws" "$bare" > "$stamp"
  else
    echo "setup: the Python peers could not be installed; what needs them is skipped" >&2
    rm -rf "$folder"
  fi
}

if ! command -v swift > /dev/null; then
  echo "setup: swift is not in PATH; install Swift 6.3 from swift.org, then try again" >&2
  exit 1
fi
if ! command -v dpkg-query > /dev/null; then
  echo "setup: this is not Debian or Ubuntu; what these packages hold must be there already:" >&2
  wanted | sort -u | tr '\n' ' ' >&2
  echo >&2
else
  mapfile -t packages < <(missing)
  if [ "${#packages[@]}" -gt 0 ]; then
    echo "setup: missing system packages: ${packages[*]}"
    if [ "$(id -u)" != 0 ]; then
      echo "setup: install them with one command, then try again:"
      echo
      echo "  sudo scripts/setup.sh $purpose"
      echo
      exit 1
    fi
    echo "setup: installing them (nothing is started or enabled)"
    install_packages "${packages[@]}"
  fi
fi
case $purpose in
  test | bench) python_peers ;;
esac
