#!/bin/bash
# Everything that is checked without running it: Swift format, shell scripts, Python programs.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.swift')
swift format lint --strict --parallel "${sources[@]}" || failed=1

mapfile -t scripts < <(
  git ls-files --cached --others --exclude-standard |
    while read -r file; do
      [ -f "$file" ] || continue
      case $file in
        *.sh) echo "$file" ;;
        *.*) ;;
        *) if head -c 64 "$file" | grep -qE '^#!/bin/(ba|da)?sh'; then echo "$file"; fi ;;
      esac
    done
)
if command -v shellcheck > /dev/null; then
  shellcheck "${scripts[@]}" .ci/run || failed=1
else
  echo "lint: shellcheck is missing; run scripts/setup.sh test" >&2
  failed=1
fi

mapfile -t programs < <(git ls-files --cached --others --exclude-standard '*.py')
for program in "${programs[@]}"; do
  python3 - "$program" << 'CHECK' || failed=1
import ast, sys
path = sys.argv[1]
try:
    ast.parse(open(path).read(), path)
except SyntaxError as problem:
    sys.exit(f"{path}:{problem.lineno}: {problem.msg}")
CHECK
done

[ "$failed" = 0 ] || {
  echo "lint: failed" >&2
  exit 1
}
echo "lint: ${#sources[@]} Swift files, ${#scripts[@]} scripts, ${#programs[@]} Python programs: fine"
