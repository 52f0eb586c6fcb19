//! The media type of an object, by its name, so that browsers show what they can.

/// The media type for a key.
pub(crate) fn of(key: &str) -> &'static str {
    let name = key.rsplit('/').next().unwrap_or(key);
    if matches!(name, ".zarray" | ".zattrs" | ".zgroup" | ".zmetadata") {
        return "application/json";
    }
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "json" => "application/json",
        "jsonld" => "application/ld+json",
        "jsonl" => "application/jsonl",
        "xml" | "ome" => "application/xml",
        "txt" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "tif" | "tiff" | "tf2" | "tf8" | "btf" => "image/tiff",
        "png" => "image/png",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn by_name() {
        assert_eq!(super::of("a/zarr.json"), "application/json");
        assert_eq!(super::of(".zattrs"), "application/json");
        assert_eq!(super::of("OME/METADATA.ome.xml"), "application/xml");
        assert_eq!(super::of("x.ome.tif"), "image/tiff");
        assert_eq!(super::of("0/c/0/0"), "application/octet-stream");
        assert_eq!(super::of("a.json/c"), "application/octet-stream");
    }
}
