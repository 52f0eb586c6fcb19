//! How often documents are parsed.

use std::cell::Cell;

use crate::{ByteOrder, Document, Normalisations, Structured};

thread_local! {
    /// Documents that this thread has parsed.
    pub(super) static COUNT: Cell<usize> = const { Cell::new(0) };
}

#[test]
fn a_document_is_parsed_once_whatever_is_asked_of_it() {
    for version in ["2016-06", "2013-06"] {
        let xml = format!(
            r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/{version}"><Image ID="Image:0"><Pixels
            ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="1"><TiffData/>
            <Plane TheZ="0" TheC="0" TheT="0"/></Pixels></Image></OME>"#
        );
        COUNT.set(0);
        let document = Document::parse(xml.into_bytes()).unwrap();
        let shared = document.clone();
        document.metadata_only(&[(0, ByteOrder::Little)]).unwrap();
        Structured::from_document(&document).to_xml().unwrap();
        document.to_2016_06();
        assert!(document.differences(&shared, Normalisations::NONE).unwrap().is_empty());
        assert_eq!((document.root().name(), document.model().name()), ("OME", "OME"));
        assert_eq!(COUNT.get(), 1, "{version}");
    }
}
