// The panel of provenance: all of it is in the image's summary, which came with the image's own document.
import { panel } from "fairzarr/panel";

/** Greatest age in days of a calibration, by kind. */
const WITHIN = { OpticalCalibration: 90, ExcitationCalibration: 30, FieldUniformityEvaluation: 90, ChromaticRegistrationEvaluation: 90, DetectorCalibration: 365 };

const MEANING = { green: "applies and is recent enough", red: "none applies, or too old", grey: "the record does not say enough" };

const words = (kind) => kind.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().replace(/^./, (c) => c.toUpperCase());

const Said = ({ children }) => (children ? <>{children}</> : <span className="unknown">unknown</span>);

export function Panel({ summary }) {
  if (!summary) {
    return (
      <section className="note">
        This store says nothing of how the image was taken. <code>fairzarr embed</code> adds what is known.
      </section>
    );
  }
  const { rows, channels, channelsNotListed, signals, coverage, missing } = panel(summary, { within: WITHIN });
  return (
    <>
      <section>
        <h2>Image and microscope</h2>
        <dl>
          {rows.map(([label, text]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd><Said>{text}</Said></dd>
            </div>
          ))}
        </dl>
      </section>
      <section>
        <h2>Quality control</h2>
        {signals.length === 0 && <p className="unknown">No calibration is recorded.</p>}
        {signals.map(({ kind, light, date, ageDays, text }) => (
          <div className="signal" key={kind} data-kind={kind} data-light={light}>
            <span className={`light ${light}`} title={MEANING[light]} role="img" aria-label={`${light}: ${MEANING[light]}`} />
            <div>
              <strong>{words(kind)}</strong>
              <div>{date ? `${date}${ageDays === undefined ? "" : `, ${Math.abs(ageDays)} days ${ageDays < 0 ? "after" : "before"} the acquisition`}` : "no date"}
                {WITHIN[kind] ? `; asked for within ${WITHIN[kind]} days` : ""}</div>
              <small>{text}</small>
            </div>
          </div>
        ))}
      </section>
      <section>
        <h2>Channels</h2>
        {channels.map((channel, n) => (
          <div className="channel" key={n}>
            <h3>{channel.name}</h3>
            <dl>
              {[["Fluorophore", channel.fluorophore], ["Excitation", channel.excitation], ["Emission", channel.emission],
                ["Exposure", channel.exposure], ["Light source", channel.lightSource], ["Detector", channel.detector]].map(([label, text]) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd><Said>{text}</Said></dd>
                </div>
              ))}
            </dl>
          </div>
        ))}
        {channelsNotListed > 0 && <p>and {channelsNotListed} more</p>}
      </section>
      <section>
        <h2>Coverage</h2>
        {coverage.length === 0 && <p className="unknown">Not checked.</p>}
        {coverage.map(({ policy, errors, warnings, tiers }) => (
          <div key={policy}>
            <div>{policy}: {errors} missing or malformed, {warnings} warnings</div>
            {tiers.map(({ tier, filled, of }) => (
              <div className="tier" key={tier}>
                <span>Tier {tier}</span>
                <meter value={filled} max={Math.max(of, 1)} />
                <span>{filled} of {of}</span>
              </div>
            ))}
          </div>
        ))}
      </section>
      <section>
        <h2>What is missing</h2>
        {missing.length === 0 ? <p>Nothing that a first reader asks for.</p> : <ul className="missing">{missing.map((what) => <li key={what}>{what}</li>)}</ul>}
      </section>
    </>
  );
}
