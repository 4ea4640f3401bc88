//! The kernels against their committed digests, on whatever processor and instruction set this was compiled for.

mod digests;

#[test]
fn kernels_have_their_committed_digests() {
    if let Err(failures) = digests::check() {
        panic!("{failures}");
    }
}
