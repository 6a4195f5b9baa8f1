#!/usr/bin/env bash
# Everything that has to be true of the Python package. Builds the wheel once, in release, and tests
# what is installed from it. Its virtual environment is .venv in the repository, kept between runs.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf -- '-- %s\n' "$1"; }

if [ ! -x .venv/bin/python ]; then
    python3 -m venv .venv
fi
. .venv/bin/activate
pip=(python -m pip --disable-pip-version-check -q)

step "tools"
"${pip[@]}" install "pip>=25.1" "maturin>=1.9.4,<2"
"${pip[@]}" install --group parkq-py/pyproject.toml:test
step "style and types"
ruff format --check -q --config parkq-py/pyproject.toml parkq-py examples/python
ruff check -q --config parkq-py/pyproject.toml parkq-py examples/python
step "wheel"
wheels="${CARGO_TARGET_DIR:-target}/wheels"
rm -rf "$wheels"
maturin build -q --release --locked --manifest-path parkq-py/Cargo.toml --out "$wheels"
maturin sdist --manifest-path parkq-py/Cargo.toml --out "$wheels" 2>/dev/null
for wheel in "$wheels"/parkq-*.whl; do
    python -m zipfile -l "$wheel" | grep licenses/LICENSE-MIT >/dev/null
done
# The source distribution has a smaller workspace: pip must be able to read it, its models in it.
sdist="$(mktemp -d)"
trap 'rm -rf "$sdist"' EXIT
tar -xzf "$wheels"/parkq-*.tar.gz -C "$sdist" --strip-components 1
ls "$sdist"/{Cargo.lock,LICENSE-MIT,models/detector.onnx,models/space-classifier.onnx} >/dev/null
(cd "$sdist" && maturin pep517 write-dist-info --metadata-directory "$sdist/metadata" >/dev/null 2>&1)
"${pip[@]}" install --force-reinstall --no-deps "$wheels"/parkq-*.whl
"${pip[@]}" install "$wheels"/parkq-*.whl
step "stub"
mypy --config-file parkq-py/pyproject.toml -p parkq
python -m mypy.stubtest parkq
step "README"
# The commands but for those that made the wheel above, and the program.
parkq demo >/dev/null
sed -n '/^```python$/,/^```$/{//!p}' README.md | python -W error -
step "tests"
cd parkq-py
pytest -q "$@"
