//! 4DN-BINA-OME (NBO) 2.01 microscope provenance and quality control: catalogue, records, ingest, the three-axis check.
