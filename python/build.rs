//! On macOS an extension module may have symbols that only the interpreter that loads it brings.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
