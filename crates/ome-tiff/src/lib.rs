//! OME-TIFF filesets: IFD index, plane map, stored samples of any tile, strip or region.
