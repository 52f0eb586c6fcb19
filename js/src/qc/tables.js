// Written by scripts/tables.py; not to be edited.

/** Factors to the base unit of each kind, by symbol; null where nobody knows the size.
 * @type {Record<string, Record<string, number | null>>} */
export const UNITS = {
  Length: {"Ym": 1e+24, "Zm": 1e+21, "Em": 1e+18, "Pm": 1000000000000000.0, "Tm": 1000000000000.0, "Gm": 1000000000.0, "Mm": 1000000.0, "km": 1000.0, "hm": 100.0, "dam": 10.0, "m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001, "µm": 1e-06, "nm": 1e-09, "pm": 1e-12, "fm": 1e-15, "am": 1e-18, "zm": 1e-21, "ym": 1e-24, "Å": 1e-10, "thou": 2.54e-05, "li": 0.0021166666666666664, "in": 0.0254, "ft": 0.3048, "yd": 0.9144, "mi": 1609.344, "ua": 149597870700.0, "ly": 9460730472580800.0, "pc": 3.085677581491367e+16, "pt": 0.00035277777777777776, "pixel": null, "reference frame": null},
  Time: {"Ys": 1e+24, "Zs": 1e+21, "Es": 1e+18, "Ps": 1000000000000000.0, "Ts": 1000000000000.0, "Gs": 1000000000.0, "Ms": 1000000.0, "ks": 1000.0, "hs": 100.0, "das": 10.0, "s": 1.0, "ds": 0.1, "cs": 0.01, "ms": 0.001, "µs": 1e-06, "ns": 1e-09, "ps": 1e-12, "fs": 1e-15, "as": 1e-18, "zs": 1e-21, "ys": 1e-24, "min": 60.0, "h": 3600.0, "d": 86400.0},
  Pressure: {"YPa": 1e+24, "ZPa": 1e+21, "EPa": 1e+18, "PPa": 1000000000000000.0, "TPa": 1000000000000.0, "GPa": 1000000000.0, "MPa": 1000000.0, "kPa": 1000.0, "hPa": 100.0, "daPa": 10.0, "Pa": 1.0, "dPa": 0.1, "cPa": 0.01, "mPa": 0.001, "µPa": 1e-06, "nPa": 1e-09, "pPa": 1e-12, "fPa": 1e-15, "aPa": 1e-18, "zPa": 1e-21, "yPa": 1e-24, "bar": 100000.0, "Mbar": 100000000000.0, "kbar": 100000000.0, "dbar": 10000.0, "cbar": 1000.0, "mbar": 100.0, "atm": 101325.0, "psi": 6894.757293168361, "Torr": 133.32236842105263, "mTorr": 0.13332236842105263, "mm Hg": 133.322387415},
  Angle: {"deg": 0.017453292519943295, "rad": 1.0, "gon": 0.015707963267948967},
  Temperature: {"°C": 1.0, "°F": 0.5555555555555556, "K": 1.0, "°R": 0.5555555555555556},
  ElectricPotential: {"YV": 1e+24, "ZV": 1e+21, "EV": 1e+18, "PV": 1000000000000000.0, "TV": 1000000000000.0, "GV": 1000000000.0, "MV": 1000000.0, "kV": 1000.0, "hV": 100.0, "daV": 10.0, "V": 1.0, "dV": 0.1, "cV": 0.01, "mV": 0.001, "µV": 1e-06, "nV": 1e-09, "pV": 1e-12, "fV": 1e-15, "aV": 1e-18, "zV": 1e-21, "yV": 1e-24},
  Power: {"YW": 1e+24, "ZW": 1e+21, "EW": 1e+18, "PW": 1000000000000000.0, "TW": 1000000000000.0, "GW": 1000000000.0, "MW": 1000000.0, "kW": 1000.0, "hW": 100.0, "daW": 10.0, "W": 1.0, "dW": 0.1, "cW": 0.01, "mW": 0.001, "µW": 1e-06, "nW": 1e-09, "pW": 1e-12, "fW": 1e-15, "aW": 1e-18, "zW": 1e-21, "yW": 1e-24},
  Frequency: {"YHz": 1e+24, "ZHz": 1e+21, "EHz": 1e+18, "PHz": 1000000000000000.0, "THz": 1000000000000.0, "GHz": 1000000000.0, "MHz": 1000000.0, "kHz": 1000.0, "hHz": 100.0, "daHz": 10.0, "Hz": 1.0, "dHz": 0.1, "cHz": 0.01, "mHz": 0.001, "µHz": 1e-06, "nHz": 1e-09, "pHz": 1e-12, "fHz": 1e-15, "aHz": 1e-18, "zHz": 1e-21, "yHz": 1e-24},
};

/** Metrics of each kind of calibration: the kinds of units that one may have, and further symbols;
 * null where any name is one.
 * @type {Record<string, Record<string, [string[], string[]]> | null>} */
export const METRICS = {
  OpticalCalibration: {
    "AxialAsymmetry": [[], []],
    "LateralAsymmetry": [[], []],
    "MaxXYSpotSize_FWHM": [["Length"], []],
    "MedianXYSpotSize_FWHM": [["Length"], ["Pixel", "reference frame"]],
    "MedianZSpotSize_FWHM": [["Length"], []],
    "MinXYSpotSize_FWHM": [["Length"], ["Pixel", "reference frame"]],
    "NyquistRate": [[], []],
    "Planarity": [["Length"], ["Pixel", "reference frame"]],
    "SampleSize": [[], []],
    "TheoreticaZSpotSize_FWHM": [["Length"], ["Pixel", "reference frame"]],
    "TheoreticalXYSpotSize_FWHM": [["Length"], ["Pixel", "reference frame"]],
  },
  ChromaticRegistrationEvaluation: {
    "AxialChromaticShift_RT": [["Length"], ["Pixel", "reference frame"]],
    "AxialChromaticShift_TR": [["Length"], ["Pixel", "reference frame"]],
    "ReferenceWavelength": [["Length", "Time", "Pressure", "Angle", "Temperature", "ElectricPotential", "Power", "Frequency"], ["Pixel", "pixel", "reference frame"]],
    "TestWavelength": [["Length", "Time", "Pressure", "Angle", "Temperature", "ElectricPotential", "Power", "Frequency"], ["Pixel", "pixel", "reference frame"]],
    "XChromaticShift_RT": [["Length"], ["Pixel", "reference frame"]],
    "XChromaticShift_TR": [["Length"], ["Pixel", "reference frame"]],
    "YChromaticShift_RT": [["Length"], ["Pixel", "reference frame"]],
    "YChromaticShift_TR": [["Length"], ["Pixel", "reference frame"]],
  },
  FieldUniformityEvaluation: {
    "MaxIntensityPixelXCoordinate": [[], []],
    "MaxIntensityPixelYCoordinate": [[], []],
    "MeanMaxtoCornerIntensityRatio": [[], []],
    "SDMaxtoCornerIntensityRatio": [[], []],
  },
  ExcitationCalibration: {
    "IlluminationLinearity": [[], []],
    "LongTermIlluminationStability": [[], ["%"]],
    "NominalEx-Wavelength": [["Length"], ["Pixel", "reference frame"]],
    "ObseredIlluminationPowerAtSample": [["Power"], ["%"]],
    "ObservedEx-Wavelength": [["Length"], ["Pixel", "reference frame"]],
    "ObservedIlluminationPowerAtBackOfObjective": [["Power"], ["%"]],
    "ObservedIrradianceAtSample": [[], ["W/m2", "mW/nm2", "mW/µm2", "µW/nm2", "µW/µm2"]],
    "ObservedIrradianceVariance": [[], []],
    "PercentageNominalPowerSettings": [[], ["%"]],
    "SampleSize": [[], []],
    "ShortTermIlluminationStability": [[], ["%"]],
  },
  DetectorCalibration: {
    "SampleSize": [[], []],
  },
  MechanicalCalibration: {
    "MeasuredFocalRepeatability": [["Length"], ["Pixel", "reference frame"]],
    "MeasuredFocalRepeatability_SD": [["Length"], []],
    "MeasuredFocalReproducibility": [["Length"], ["Pixel", "reference frame"]],
    "MeasuredFocalReproducibility_SD": [["Length"], []],
    "MeasuredFocalSettlingTime": [["Time"], []],
    "MeasuredFocalSettlingTime_SD": [["Time"], []],
    "MeasuredXRepeatability": [["Length"], ["Pixel", "reference frame"]],
    "MeasuredXRepeatability_SD": [["Length"], []],
    "MeasuredXReproducibility": [["Length"], ["Pixel", "reference frame"]],
    "MeasuredXReproducibility_SD": [["Length"], []],
    "MeasuredXSettlingTime": [["Time"], []],
    "MeasuredXSettlingTime_SD": [["Time"], []],
    "MeasuredYRepeatability": [["Length"], ["Pixel", "reference frame"]],
    "MeasuredYRepeatability_SD": [["Length"], []],
    "MeasuredYReproducibility": [["Length"], ["Pixel", "reference frame"]],
    "MeasuredYReproducibility_SD": [["Length"], []],
    "MeasuredYSettlingTime": [["Time"], []],
    "MeasuredYSettlingTime_SD": [["Time"], []],
  },
  IntensityCalibrationTool: {
  },
  LightSensor: {
  },
};

/** Names of makers: a line is one, the first name that it is compared by. */
export const MAKERS = [
  ["Zeiss", "Carl Zeiss", "Carl Zeiss AG", "Carl Zeiss Microscopy", "Carl Zeiss Microscopy GmbH", "Carl Zeiss MicroImaging"],
  ["Leica", "Leica Microsystems", "Leica Microsystems CMS GmbH"],
  ["Nikon", "Nikon Corporation", "Nikon Instruments", "Nikon Instruments Inc"],
  ["Olympus", "Olympus Corporation", "Olympus Life Science", "Evident", "Evident Scientific"],
  ["Hamamatsu", "Hamamatsu Photonics", "Hamamatsu Photonics KK"],
  ["Andor", "Andor Technology", "Oxford Instruments Andor"],
  ["GE Healthcare", "Applied Precision", "Cytiva"],
  ["3i", "Intelligent Imaging Innovations"],
];

/** Names of models of stands: a line is one, the first name that it is compared by. */
export const MODELS = [
  ["Axio Observer Z1", "Axio Observer Z1/7", "AxioObserver Z1"],
  ["Axio Imager Z2", "AxioImager Z2"],
  ["Ti2-E", "Eclipse Ti2-E", "Eclipse Ti2E"],
  ["Ti2-U", "Eclipse Ti2-U"],
  ["Ti-E", "Eclipse Ti-E", "Eclipse TiE"],
  ["Ti", "Eclipse Ti"],
  ["DMi8", "DMi8 S"],
  ["IX83", "IX83P2ZF"],
  ["OMX V4", "DeltaVision OMX V4"],
];
