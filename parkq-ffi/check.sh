#!/usr/bin/env bash
# The C library under ASAN and UBSan, and under valgrind: check.sh [FRAMES, 1000].
set -euo pipefail
cd "$(dirname "$0")/.."
frames=${1:-1000}
target=${CARGO_TARGET_DIR:-target}
cargo build --locked -q --release -p parkq-ffi --features testing
library=$target/release/libparkq.a
cc=(cc -std=c11 -g -O1 -Iinclude)
libraries=("$library" -lm -lpthread -ldl)
for program in smoke misuse threads; do
    source=parkq-ffi/tests/c/$program.c
    "${cc[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all "$source" "${libraries[@]}" \
        -o "$target/asan-$program"
    echo "ASAN, UBSan: $program"
    "$target/asan-$program" "$frames"
    if [ "$program" != threads ]; then
        "${cc[@]}" "$source" "${libraries[@]}" -o "$target/valgrind-$program"
        echo "valgrind: $program"
        valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
            "$target/valgrind-$program" "$frames"
    fi
done
