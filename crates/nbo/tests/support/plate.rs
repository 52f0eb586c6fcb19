//! A screen with everything said about it: a full microscope, four channels, every calibration under every image.

use std::fmt::Write as _;

/// Wells and fields of a plate.
pub(crate) struct Plate {
    pub(crate) wells: usize,
    pub(crate) fields: usize,
}

const CHANNELS: [(&str, u32, u32); 4] =
    [("DAPI", 405, 460), ("GFP", 488, 525), ("mCherry", 561, 610), ("Cy5", 640, 680)];

impl Plate {
    pub(crate) fn images(&self) -> usize {
        self.wells * self.fields
    }

    /// The OME-XML of its acquisition, one plane of a file per channel.
    pub(crate) fn ome(&self) -> String {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">",
        );
        write!(xml, r#"<Plate ID="Plate:0" Name="p" Rows="16" Columns="24">"#).unwrap();
        for well in 0..self.wells {
            write!(xml, r#"<Well ID="Well:{well}" Row="{}" Column="{}">"#, well / 24, well % 24).unwrap();
            for field in 0..self.fields {
                let n = well * self.fields + field;
                write!(
                    xml,
                    r#"<WellSample ID="WellSample:{n}" Index="{n}"><ImageRef ID="Image:{n}"/></WellSample>"#
                )
                .unwrap();
            }
            xml.push_str("</Well>");
        }
        xml.push_str("</Plate>");
        instrument(&mut xml);
        for n in 0..self.images() {
            image(&mut xml, n);
        }
        xml.push_str("</OME>");
        xml
    }

    /// NBO XML about the same images: calibrations under every image, channel and first plane.
    pub(crate) fn nbo(&self) -> String {
        let mut xml = String::from(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" Creator="screen">"#,
        );
        xml.push_str(HARDWARE);
        for n in 0..self.images() {
            write!(
                xml,
                r#"<Image ID="Image:{n}" Name="w{n}" AcquisitionDate="2024-03-14"><InstrumentRef ID="Instrument:0"/>{OPTICAL}{DETECTOR}<Pixels ID="Pixels:{n}">
                <Plane TheZ="0" TheT="0" TheC="0">{MECHANICAL}</Plane>"#
            )
            .unwrap();
            for (c, (name, excitation, _)) in CHANNELS.iter().enumerate() {
                write!(
                    xml,
                    r#"<Channel ID="Channel:{n}:{c}" Name="{name}"><Fluorophore ID="Fluorophore:{c}" Name="{name}" Manufacturer="Example Dyes" Model="F{c}" CatalogNumber="D-{c}"/>
                    <ExcitationCalibration ID="ExcitationCalibration:{c}" Date="2024-02-01" SampleSize="3" Method="Power meter at objective" SpinningDiskInLightPath="false" NominalEx-Wavelength="{excitation}" NominalEx-WavelengthUnit="nm" ObservedEx-Wavelength="{excitation}.5" ObservedEx-WavelengthUnit="nm" PercentageNominalPowerSettings="20" ObservedIlluminationPowerAtBackOfObjective="9.25" ObservedIlluminationPowerAtBackObjectiveUnit="mW" ObseredIlluminationPowerAtSample="7.40" ObseredIlluminationPowerAtSampleUnit="mW" ShortTermIlluminationStability="99.6" LongTermIlluminationStability="98.9" IlluminationLinearity="0.999" ObservedIrradianceAtSample="0.3" ObservedIrradianceAtSampleUnit="mW/µm2" ObservedIrradianceVariance="0.01"><CalibrationSoftware ID="Software:3" Name="Power log" Version="1" Developer="Core facility" WebsiteURL="https://example.org/power"/></ExcitationCalibration></Channel>"#
                )
                .unwrap();
            }
            xml.push_str("</Pixels></Image>");
        }
        xml.push_str("</OME>");
        xml
    }
}

fn instrument(xml: &mut String) {
    xml.push_str(r#"<Instrument ID="Instrument:0"><Microscope Manufacturer="Example Optics" Model="Stand 7" SerialNumber="S-1" Type="Inverted"/>"#);
    for (c, (_, excitation, _)) in CHANNELS.iter().enumerate() {
        write!(xml, r#"<Laser ID="LightSource:{c}" Manufacturer="Example Light" Model="L{excitation}" SerialNumber="L-{c}" Power="100" Type="SolidState" LaserMedium="Other" Wavelength="{excitation}"/>"#).unwrap();
    }
    for c in 0..2 {
        write!(xml, r#"<Detector ID="Detector:{c}" Manufacturer="Example Cameras" Model="C{c}" SerialNumber="D-{c}" Type="CMOS" Voltage="1.5" Gain="2" Offset="100"/>"#).unwrap();
    }
    for c in 0..3 {
        write!(xml, r#"<Objective ID="Objective:{c}" Manufacturer="Example Optics" Model="O{c}" SerialNumber="O-{c}" Correction="PlanApo" Immersion="Air" LensNA="0.{c}5" NominalMagnification="{c}0" CalibratedMagnification="{c}0.1" WorkingDistance="600"/>"#).unwrap();
    }
    // The schema wants sets, filters and dichroics in this order.
    for (c, (name, ..)) in CHANNELS.iter().enumerate() {
        write!(xml, r#"<FilterSet ID="FilterSet:{c}" Manufacturer="Example Filters" Model="{name} set"><ExcitationFilterRef ID="Filter:{c}"/><DichroicRef ID="Dichroic:{c}"/><EmissionFilterRef ID="Filter:1{c}"/></FilterSet>"#).unwrap();
    }
    for (c, (_, excitation, emission)) in CHANNELS.iter().enumerate() {
        for (id, wavelength) in [(format!("{c}"), excitation), (format!("1{c}"), emission)] {
            write!(xml, r#"<Filter ID="Filter:{id}" Manufacturer="Example Filters" Model="{wavelength}/40" Type="BandPass"><TransmittanceRange CutIn="{}" CutOut="{}" Transmittance="0.95"/></Filter>"#, wavelength - 20, wavelength + 20).unwrap();
        }
    }
    for (c, (_, excitation, _)) in CHANNELS.iter().enumerate() {
        write!(xml, r#"<Dichroic ID="Dichroic:{c}" Manufacturer="Example Filters" Model="D{excitation}"/>"#)
            .unwrap();
    }
    xml.push_str("</Instrument>");
}

fn image(xml: &mut String, n: usize) {
    write!(
        xml,
        r#"<Image ID="Image:{n}" Name="w{n}"><AcquisitionDate>2024-03-14T10:{:02}:{:02}</AcquisitionDate><Description>Screen of compound library A, plate 17, second repeat</Description>
        <InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:1" Medium="Air" CorrectionCollar="0.17" RefractiveIndex="1.0"/>
        <ImagingEnvironment Temperature="37" AirPressure="1013" Humidity="0.9" CO2Percent="0.05"/><StageLabel Name="w{n}" X="{n}.25" Y="-{n}.5" Z="12.5" XUnit="µm" YUnit="µm" ZUnit="µm"/>
        <Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint8" SignificantBits="8" Interleaved="false" BigEndian="false" SizeX="2" SizeY="2" SizeZ="1" SizeC="4" SizeT="1" PhysicalSizeX="0.325" PhysicalSizeY="0.325" PhysicalSizeZ="1.5">"#,
        n / 60 % 60,
        n % 60
    )
    .unwrap();
    for (c, (name, excitation, emission)) in CHANNELS.iter().enumerate() {
        let detector = c % 2;
        write!(
            xml,
            r#"<Channel ID="Channel:{n}:{c}" Name="{name}" SamplesPerPixel="1" AcquisitionMode="WideField" ContrastMethod="Fluorescence" IlluminationType="Epifluorescence" Color="-16776961" Fluor="{name}" ExcitationWavelength="{excitation}" EmissionWavelength="{emission}" NDFilter="0.5">
            <LightSourceSettings ID="LightSource:{c}" Attenuation="0.8" Wavelength="{excitation}"/><DetectorSettings ID="Detector:{detector}" Gain="2" Offset="100" Voltage="1.5" Zoom="1" ReadOutRate="540" Binning="1x1" Integration="1"/>
            <FilterSetRef ID="FilterSet:{c}"/><LightPath><ExcitationFilterRef ID="Filter:{c}"/><DichroicRef ID="Dichroic:{c}"/><EmissionFilterRef ID="Filter:1{c}"/></LightPath></Channel>"#
        )
        .unwrap();
    }
    for c in 0..CHANNELS.len() {
        write!(xml, r#"<TiffData IFD="{}" FirstC="{c}" PlaneCount="1"/>"#, n * CHANNELS.len() + c).unwrap();
    }
    for c in 0..CHANNELS.len() {
        write!(
            xml,
            r#"<Plane TheZ="0" TheC="{c}" TheT="0" DeltaT="{n}.{c}5" ExposureTime="0.0{}5" PositionX="{n}.25" PositionXUnit="µm" PositionY="-{n}.5" PositionYUnit="µm" PositionZ="12.{c}" PositionZUnit="µm"/>"#,
            c + 1
        )
        .unwrap();
    }
    xml.push_str("</Pixels></Image>");
}

const HARDWARE: &str = r#"<Instrument ID="Instrument:0" Name="Screen 1"><InvertedMicroscopeStand ID="Microscope:0" Name="Stand" Type="Compound" Origin="Commercial-unmodified" Manufacturer="Example Optics" Model="Stand 7" CatalogNumber="S-1"/>
<AcquisitionSoftware ID="Software:1" Name="Screen control" Version="4.2" Developer="Example Optics" WebsiteURL="https://example.org/screen"/></Instrument>"#;

const OPTICAL: &str = r#"<OpticalCalibration ID="OpticalCalibration:1" Date="2024-02-01" TheoreticalXYSpotSize_FWHM="190" TheoreticalXYSpotSize_FWHMUnit="nm" MedianXYSpotSize_FWHM="228.50" MedianXYSpotSize_FWHMUnit="nm" MinXYSpotSize_FWHM="219" MinXYSpotSize_FWHMUnit="nm" TheoreticaZSpotSize_FWHM="560" TheoreticaZSpotSize_FWHMUnit="nm" MedianZSpotSize_FWHM="640" CheckedNA="true" Z-Dimension="true" NyquistRate="1.6" SampleSize="25" PSFEquation="Gaussian 3D fit" Planarity="120" PlanarityUnit="nm" LateralAsymmetry="0.96" AxialAsymmetry="0.9">
<ChromaticRegistrationEvaluation ID="Chromatic:1" ReferenceWavelength="525" ReferenceWavelengthUnit="nm" TestWavelength="605" TestWavelengthUnit="nm" XChromaticShift_RT="42" XChromaticShift_RTUnit="nm" YChromaticShift_RT="17" YChromaticShift_RTUnit="nm" AxialChromaticShift_RT="210" AxialChromaticShift_RTUnit="nm"/>
<FieldUniformityEvaluation ID="FieldUniformity:1" MaxIntensityPixelXCoordinate="1024" MaxIntensityPixelYCoordinate="1020" MeanMaxtoCornerIntensityRatio="1.3" SDMaxtoCornerIntensityRatio="0.05"/>
<ColoredBeadsSlide ID="BeadSlide:1" Name="100 nm beads" Date="2024-01-15" Manufacturer="Example Beads" Model="4-colour" CatalogNumber="B-10" LotNumber="L-77"><ColoredBeads ID="Beads:1" Diameter="100" DiameterUnit="nm" Concentration="1000000" ConcentrationUnit="Units/ml" Type="Multi-color" Material="Polystyrene" Manufacturer="Example Beads" Model="4-colour" CatalogNumber="B-10" LotNumber="L-77"><WavelengthRange PeakWavelength="515" PeakWavelengthUnit="nm"/></ColoredBeads></ColoredBeadsSlide>
<CalibrationSoftware ID="Software:2" Name="MetroloJ_QC" Version="1.3.1" Developer="MRI" WebsiteURL="https://example.org/metroloj"/></OpticalCalibration>"#;

const DETECTOR: &str = r#"<DetectorCalibration ID="DetectorCalibration:1" Date="2024-01-15" SampleSize="10" Method="photon transfer"/>"#;

const MECHANICAL: &str = r#"<MechanicalCalibration ID="MechanicalCalibration:1" Date="2024-01-20" MeasuredXReproducibility="0.4" MeasuredXReproducibilityUnit="µm" MeasuredYReproducibility="0.4" MeasuredYReproducibilityUnit="µm" MeasuredFocalReproducibility="0.1" MeasuredFocalReproducibilityUnit="µm" MeasuredXRepeatability="0.5" MeasuredXRepeatabilityUnit="µm" MeasuredYRepeatability="0.5" MeasuredYRepeatabilityUnit="µm" MeasuredFocalRepeatability="0.2" MeasuredFocalRepeatabilityUnit="µm"/>"#;
