//! Compiles the C side of the JPEG decoder against the libjpeg that `mozjpeg-sys` has built.

fn main() {
    println!("cargo::rerun-if-changed=c/jpeg.c");
    #[cfg(feature = "jpeg")]
    compile_jpeg();
}

#[cfg(feature = "jpeg")]
fn compile_jpeg() {
    // Set by the build script of the crate that links `jpeg`.
    let include = std::env::var_os("DEP_JPEG_INCLUDE").unwrap_or_default();
    cc::Build::new()
        .includes(std::env::split_paths(&include))
        .file("c/jpeg.c")
        .warnings(true)
        .extra_warnings(true)
        .compile("fairzarr_jpeg");
}
