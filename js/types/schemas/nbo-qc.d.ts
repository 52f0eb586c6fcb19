// Written by scripts/schema-types.mjs from docs/schemas/nbo-qc.schema.json; not to be edited.

export type Day = string;

/**
 * Index of quality control in a store. See docs/nbo-zarr-convention.md, section 5.
 */
export interface NboQc {
  layout: 3;
  /**
   * What identifies the microscopes, by their identifiers in the record.
   */
  instruments: {
    [k: string]: Microscope;
  };
  events: {
    kind:
      | "OpticalCalibration"
      | "ChromaticRegistrationEvaluation"
      | "FieldUniformityEvaluation"
      | "ExcitationCalibration"
      | "DetectorCalibration"
      | "MechanicalCalibration"
      | "IntensityCalibrationTool"
      | "LightSensor";
    id?: string;
    date?: Day;
    images?: string[];
    measuredOn?: string[];
    instrument?: string;
    instrumentKey?: string;
    objective?: string;
    microscope?: Microscope;
    detectors?: string[];
    lightSource?: string;
    channels?: string[];
    wavelength?: Wavelength;
    /**
     * @maxItems 2
     */
    wavelengths?: Wavelength[];
    pointSpreadFunction?: boolean;
    metrics?: {
      name: string;
      value: number;
      unit?: string;
      unitFrom?: "schema";
      statistic?: "median" | "mean" | "minimum" | "maximum" | "standard deviation";
      n?: number;
      sd?: number;
      [k: string]: unknown;
    }[];
    standard?: string;
    software?: string;
    [k: string]: unknown;
  }[];
  images: {
    acquisitionDate: Day | null;
    instrument?: string;
    instrumentKey?: string;
    objective?: string;
    channels?: {
      name?: string;
      excitation?: Wavelength;
      emission?: Wavelength;
      detector?: string;
      lightSource?: string;
      [k: string]: unknown;
    }[];
    inStore?: boolean;
    count: number;
    /**
     * @maxItems 16
     */
    images: string[];
    [k: string]: unknown;
  }[];
  [k: string]: unknown;
}
export interface Microscope {
  uuid?: string;
  name?: string;
  manufacturer?: string;
  model?: string;
  serialNumber?: string;
}
export interface Wavelength {
  value: number;
  unit: string;
  [k: string]: unknown;
}
