//! Tag numbers and field types of TIFF 6.0, BigTIFF and the extensions that OME-TIFF meets.

pub(crate) const NEW_SUBFILE_TYPE: u16 = 254;
pub(crate) const IMAGE_WIDTH: u16 = 256;
pub(crate) const IMAGE_LENGTH: u16 = 257;
pub(crate) const BITS_PER_SAMPLE: u16 = 258;
pub(crate) const COMPRESSION: u16 = 259;
pub(crate) const PHOTOMETRIC: u16 = 262;
pub(crate) const FILL_ORDER: u16 = 266;
pub(crate) const IMAGE_DESCRIPTION: u16 = 270;
pub(crate) const STRIP_OFFSETS: u16 = 273;
pub(crate) const ORIENTATION: u16 = 274;
pub(crate) const SAMPLES_PER_PIXEL: u16 = 277;
pub(crate) const ROWS_PER_STRIP: u16 = 278;
pub(crate) const STRIP_BYTE_COUNTS: u16 = 279;
pub(crate) const X_RESOLUTION: u16 = 282;
pub(crate) const Y_RESOLUTION: u16 = 283;
pub(crate) const PAGE_NAME: u16 = 285;
pub(crate) const PLANAR_CONFIGURATION: u16 = 284;
pub(crate) const FREE_OFFSETS: u16 = 288;
pub(crate) const FREE_BYTE_COUNTS: u16 = 289;
pub(crate) const T4_OPTIONS: u16 = 292;
pub(crate) const T6_OPTIONS: u16 = 293;
pub(crate) const RESOLUTION_UNIT: u16 = 296;
pub(crate) const PREDICTOR: u16 = 317;
pub(crate) const TILE_WIDTH: u16 = 322;
pub(crate) const TILE_LENGTH: u16 = 323;
pub(crate) const TILE_OFFSETS: u16 = 324;
pub(crate) const TILE_BYTE_COUNTS: u16 = 325;
pub(crate) const SUB_IFDS: u16 = 330;
pub(crate) const EXTRA_SAMPLES: u16 = 338;
pub(crate) const SAMPLE_FORMAT: u16 = 339;
pub(crate) const JPEG_TABLES: u16 = 347;
pub(crate) const YCBCR_SUBSAMPLING: u16 = 530;
pub(crate) const LERC_PARAMETERS: u16 = 50674;
pub(crate) const IJ_METADATA_BYTE_COUNTS: u16 = 50838;
pub(crate) const IJ_METADATA: u16 = 50839;

/// The tags that decide how a page is laid out; two pages that agree in them differ only in where their
/// chunks are.
pub(crate) fn is_layout(tag: u16) -> bool {
    matches!(
        tag,
        NEW_SUBFILE_TYPE
            | IMAGE_WIDTH
            | IMAGE_LENGTH
            | BITS_PER_SAMPLE
            | COMPRESSION
            | PHOTOMETRIC
            | FILL_ORDER
            | ORIENTATION
            | SAMPLES_PER_PIXEL
            | ROWS_PER_STRIP
            | PLANAR_CONFIGURATION
            | T4_OPTIONS
            | T6_OPTIONS
            | PREDICTOR
            | TILE_WIDTH
            | TILE_LENGTH
            | SAMPLE_FORMAT
            | JPEG_TABLES
            | YCBCR_SUBSAMPLING
            | LERC_PARAMETERS
    )
}

/// What the tag is called in its specification, for messages and for original metadata.
pub(crate) fn name(tag: u16) -> Option<&'static str> {
    Some(match tag {
        254 => "NewSubfileType",
        255 => "SubfileType",
        256 => "ImageWidth",
        257 => "ImageLength",
        258 => "BitsPerSample",
        259 => "Compression",
        262 => "PhotometricInterpretation",
        263 => "Threshholding",
        264 => "CellWidth",
        265 => "CellLength",
        266 => "FillOrder",
        269 => "DocumentName",
        270 => "ImageDescription",
        271 => "Make",
        272 => "Model",
        273 => "StripOffsets",
        274 => "Orientation",
        277 => "SamplesPerPixel",
        278 => "RowsPerStrip",
        279 => "StripByteCounts",
        280 => "MinSampleValue",
        281 => "MaxSampleValue",
        282 => "XResolution",
        283 => "YResolution",
        284 => "PlanarConfiguration",
        285 => "PageName",
        286 => "XPosition",
        287 => "YPosition",
        288 => "FreeOffsets",
        289 => "FreeByteCounts",
        290 => "GrayResponseUnit",
        291 => "GrayResponseCurve",
        292 => "T4Options",
        293 => "T6Options",
        296 => "ResolutionUnit",
        297 => "PageNumber",
        301 => "TransferFunction",
        305 => "Software",
        306 => "DateTime",
        315 => "Artist",
        316 => "HostComputer",
        317 => "Predictor",
        318 => "WhitePoint",
        319 => "PrimaryChromaticities",
        320 => "ColorMap",
        321 => "HalftoneHints",
        322 => "TileWidth",
        323 => "TileLength",
        324 => "TileOffsets",
        325 => "TileByteCounts",
        330 => "SubIFDs",
        332 => "InkSet",
        333 => "InkNames",
        334 => "NumberOfInks",
        336 => "DotRange",
        337 => "TargetPrinter",
        338 => "ExtraSamples",
        339 => "SampleFormat",
        340 => "SMinSampleValue",
        341 => "SMaxSampleValue",
        342 => "TransferRange",
        347 => "JPEGTables",
        529 => "YCbCrCoefficients",
        530 => "YCbCrSubSampling",
        531 => "YCbCrPositioning",
        532 => "ReferenceBlackWhite",
        700 => "XMP",
        32997 => "ImageDepth",
        32998 => "TileDepth",
        33432 => "Copyright",
        33550 => "ModelPixelScale",
        33922 => "ModelTiepoint",
        34675 => "InterColorProfile",
        34735 => "GeoKeyDirectory",
        34736 => "GeoDoubleParams",
        34737 => "GeoAsciiParams",
        42112 => "GDALMetadata",
        42113 => "GDALNoData",
        50674 => "LercParameters",
        50838 => "IJMetadataByteCounts",
        50839 => "IJMetadata",
        51123 => "MicroManagerMetadata",
        65426 => "NDPIProperties",
        _ => return None,
    })
}

/// Bytes of one value of a field type, by its number in the file.
pub(crate) fn type_size(field_type: u16) -> Option<u64> {
    Some(match field_type {
        // BYTE, ASCII, SBYTE, UNDEFINED
        1 | 2 | 6 | 7 => 1,
        // SHORT, SSHORT
        3 | 8 => 2,
        // LONG, SLONG, FLOAT, IFD
        4 | 9 | 11 | 13 => 4,
        // RATIONAL, SRATIONAL, DOUBLE, LONG8, SLONG8, IFD8
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => return None,
    })
}
