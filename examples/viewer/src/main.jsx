// index.html?source=URL&image=PATH shows an image of a store, with Viv, and beside it what is known of how it was taken.
import { PictureInPictureViewer } from "@hms-dbmi/viv";
import { open } from "fairzarr";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { Panel } from "./panel.jsx";
import { appearance, rgb, sources } from "./source.js";

/** As many channels as Viv draws at once. */
const AT_ONCE = 6;

const asked = new URLSearchParams(location.search);

function App() {
  const [store, setStore] = useState();
  const [paths, setPaths] = useState([]);
  const [path, setPath] = useState(asked.get("image") ?? undefined);
  const [image, setImage] = useState();
  const [shown, setShown] = useState();
  const [error, setError] = useState();
  const source = asked.get("source");

  useEffect(() => {
    if (!source) return;
    const address = new URL(source, location.href);
    open(address)
      .then(async (store) => {
        setStore(store);
        setPaths(await store.paths());
      })
      .catch(setError);
  }, []);

  useEffect(() => {
    if (!store) return;
    let isCurrent = true;
    setShown(undefined);
    setError(undefined);
    (async () => {
      const image = await store.image(path);
      if (isCurrent) setImage(image);
      const loader = await sources(image);
      const channels = await appearance(image, loader[0].dtype);
      const places = Object.fromEntries(image.axes.slice(0, -2).map((axis, n) => [axis.name, { size: loader[0].shape[n], at: 0 }]));
      for (const [axis, given] of [["z", image.ngff.omero?.rdefs?.defaultZ], ["t", image.ngff.omero?.rdefs?.defaultT]]) {
        if (places[axis] && given < places[axis].size) places[axis].at = given;
      }
      if (isCurrent) setShown({ image, loader, channels: channels.map((c, n) => ({ ...c, visible: c.visible && n < AT_ONCE })), places });
    })().catch((error) => isCurrent && setError(error));
    return () => {
      isCurrent = false;
    };
  }, [store, path]);

  return (
    <main>
      <Picture shown={shown} />
      <aside>
        <header>
          <h1>{image?.name ?? (source ? "…" : "fairzarr viewer")}</h1>
          <form>
            <input name="source" type="text" defaultValue={source ?? ""} placeholder="https://…/cells.ome.zarr" aria-label="address of a store" />
            <button>Open</button>
          </form>
          {paths.length > 1 && (
            <select aria-label="image" value={path ?? paths[0]} onChange={(event) => setPath(event.target.value)}>
              {paths.map((path) => <option key={path}>{path}</option>)}
            </select>
          )}
          {error && <p className="error">{error.message}</p>}
        </header>
        {shown && <Controls shown={shown} change={setShown} />}
        {image && <Panel summary={image.summary} />}
      </aside>
    </main>
  );
}

function Picture({ shown }) {
  const place = useRef(null);
  const [size, setSize] = useState();
  useLayoutEffect(() => {
    const measure = () => setSize({ width: place.current.clientWidth, height: place.current.clientHeight });
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  const channels = shown?.channels.filter((channel) => channel.visible).slice(0, AT_ONCE) ?? [];
  const at = shown && Object.fromEntries(Object.entries(shown.places).map(([name, place]) => [name, place.at]));
  return (
    <div className="picture" ref={place}>
      {shown && size && channels.length > 0 && (
        <PictureInPictureViewer
          key={shown.image.path}
          {...size}
          loader={shown.loader}
          selections={channels.map((channel) => ("c" in at ? { ...at, c: channel.index } : at))}
          contrastLimits={channels.map((channel) => channel.limits)}
          colors={channels.map((channel) => rgb(channel.color))}
          channelsVisible={channels.map(() => true)}
          overviewOn={false}
          onViewportLoad={() => document.body.setAttribute("data-drawn", shown.image.path || "root")}
        />
      )}
    </div>
  );
}

function Controls({ shown, change }) {
  const { channels, places } = shown;
  const setChannel = (n, members) => change({ ...shown, channels: channels.map((c, at) => (at === n ? { ...c, ...members } : c)) });
  const full = channels.filter((channel) => channel.visible).length >= AT_ONCE;
  return (
    <section className="controls">
      {channels.map((channel, n) => (
        <div key={n}>
          <label>
            <input type="checkbox" checked={channel.visible} disabled={!channel.visible && full}
              onChange={(event) => setChannel(n, { visible: event.target.checked })} />
            <span className="swatch" style={{ background: `#${channel.color}` }} /> {channel.name}
          </label>
          <input type="range" aria-label={`white of ${channel.name}`} min={channel.range[0]} max={channel.range[1]} value={channel.limits[1]}
            step="any" onChange={(event) => setChannel(n, { limits: [channel.limits[0], Math.max(Number(event.target.value), channel.limits[0] + 1e-9)] })} />
        </div>
      ))}
      {Object.entries(places).filter(([name, { size }]) => name !== "c" && size > 1).map(([name, { size, at }]) => (
        <div key={name}>
          <label>{name} {at + 1} of {size}</label>
          <input type="range" aria-label={name} min="0" max={size - 1} value={at}
            onChange={(event) => change({ ...shown, places: { ...places, [name]: { size, at: Number(event.target.value) } } })} />
        </div>
      ))}
    </section>
  );
}

createRoot(document.getElementById("app")).render(<App />);
