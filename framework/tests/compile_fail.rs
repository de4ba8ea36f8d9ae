//! What the compiler says of users' mistakes. The messages are those of one compiler: another one may word them otherwise.

#[test]
#[ignore = "compares the messages of rustc 1.95: make check"]
fn the_compiler_says_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
