//! OME-XML documents: exact bytes, typed view of the 2016-06 model, structured JSON and canonical comparison.
