//! The quaywatch command.
fn main() {}
