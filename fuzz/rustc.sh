#!/bin/sh
# As RUSTC_WRAPPER: what is fuzzed counts its edges and compares, with the flags that libFuzzer reads and stable rustc has. Dependencies
# are left alone: what they do is not what is asked, and building them anew would take long.
case " $* " in
    *" --crate-name tagih "* | *" --crate-name tagih_fuzz "*)
        exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
            -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares ;;
    *) exec "$@" ;;
esac
