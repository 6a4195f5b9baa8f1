#!/usr/bin/env bash
# libparkq for a Debian-like ARM board: cross.sh aarch64|armv7. Needs rustup, and Debian's
# gcc-aarch64-linux-gnu or gcc-arm-linux-gnueabihf.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
aarch64) target=aarch64-unknown-linux-gnu gcc=aarch64-linux-gnu-gcc ;;
armv7) target=armv7-unknown-linux-gnueabihf gcc=arm-linux-gnueabihf-gcc ;;
*)
    echo "usage: $0 aarch64|armv7" >&2
    exit 2
    ;;
esac
rustup target add "$target"
name=$(echo "$target" | tr a-z- A-Z_)
export "CARGO_TARGET_${name}_LINKER=$gcc" "CC_${target//-/_}=$gcc"
cargo build --profile small --locked -p parkq-ffi --target "$target"
"$gcc" -std=c99 -O2 -Iinclude examples/c/occupancy.c "target/$target/small/libparkq.a" \
    -Wl,-z,noexecstack -lm -lpthread -ldl -o "target/$target/small/occupancy"
