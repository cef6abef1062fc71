//! tagih: parse, call the library, exit with its code.

fn main() {}
