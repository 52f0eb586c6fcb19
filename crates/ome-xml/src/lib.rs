//! OME-XML documents: exact bytes, typed view of the 2016-06 model, structured JSON and canonical comparison.
//!
//! A [`Document`] keeps the bytes it was given and never changes them; everything else is a view of them.
//!
//! ```
//! use fairzarr_ome_xml::Document;
//! let xml = r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="cell">
//!   <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="64" SizeY="64" SizeZ="1" SizeC="1" SizeT="1"
//!           PhysicalSizeX="0.10"><MetadataOnly/></Pixels></Image></OME>"#;
//! let document = Document::parse(xml.as_bytes())?;
//! let pixels = document.ome().images[0].pixels.as_ref().unwrap();
//! assert_eq!(pixels.size_x, Some(64));
//! assert_eq!(pixels.physical_size_x.as_ref().unwrap().to_string(), "0.10 µm");
//! # Ok::<(), fairzarr_ome_xml::Error>(())
//! ```
#![forbid(unsafe_code)]
// A match shows what happens in both cases side by side.
#![allow(clippy::single_match_else)]

pub mod alike;
mod arrays;
mod bulk;
mod canonical;
mod decimal;
mod decode;
mod doctype;
mod document;
mod error;
mod fragment;
mod further;
mod grid;
mod inline;
mod metadata;
mod model;
mod namespaces;
mod number;
mod parser;
mod part;
mod read;
mod schema;
mod schema_2016_06;
mod structured;
mod table;
mod text;
mod tiff_data;
mod tree;
mod unit;
mod upgrade;
mod write;

pub use arrays::{Array, ArrayData, ArrayGroup};
pub use canonical::{Difference, Normalisations, canonical, canonical_hash, compare};
pub use document::Document;
pub use error::{Error, Warning};
pub use fragment::root_namespace;
pub use further::{FURTHER_IMAGE, FurtherImage, with_images};
pub use metadata::ByteOrder;
pub use model::{
    Axis, BinaryOnly, Channel, DimensionOrder, Image, Ome, PixelType, Pixels, PlaneQuantity, Planes, Plate,
    PlateAcquisition, TiffData, TiffDataList, Well, WellSample,
};
pub use namespaces::Namespaces;
pub use schema::{NAMESPACE_2016_06, SchemaVersion};
pub use structured::{Blob, Structured};
pub use table::{Column, ColumnData, Table};
pub use tree::{Content, Element};
pub use unit::{
    Angle, ElectricPotential, Frequency, Length, Power, Pressure, Quantity, Temperature, Time, Unit, UnitKind,
};
pub use upgrade::Change;
