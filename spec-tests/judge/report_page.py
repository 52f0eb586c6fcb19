"""Opens the page of `fairzarr migrate report --html` in a headless Chromium and uses it.

usage: report_page.py PAGE.html [CHROMIUM]

The page is opened as it is and grown to ten thousand rows. Searched, filtered, sorted, paged and opened are rows, and what
is shown is compared with the data of the page. Nothing may come from elsewhere, no script may fail, and no step may take
more than five seconds, on a machine that does other work too. The exit code is 1 if something is wrong.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

page = pathlib.Path(sys.argv[1]).read_text()
chromium = sys.argv[2] if len(sys.argv) > 2 else "chromium"
DATA = re.compile(r'(<script id="data" type="application/json">)(.*?)(</script>)', re.S)
STEPS = r"""
const told=[];window.addEventListener('error',e=>told.push({error:String(e.message)}));
const at=id=>document.getElementById(id),put=(id,v)=>{at(id).value=v;at(id).dispatchEvent(new Event('input'))};
const paths=()=>[...document.querySelectorAll('tr.row td.path')].map(e=>e.textContent);
const step=(name,act)=>{const t=performance.now();act();document.body.offsetHeight;
told.push({name,ms:performance.now()-t,count:at('count').textContent,rows:paths().length,first:paths()[0]||null,
open:document.querySelectorAll('tr.more').length,states:[...new Set([...document.querySelectorAll('tr.row td:nth-child(3)')].map(e=>e.textContent))],
sideways:document.documentElement.scrollWidth>document.documentElement.clientWidth})};
const sort=name=>[...document.querySelectorAll('#head button')].find(b=>b.textContent.startsWith(name)).click();
step('as opened',()=>{});
step('searched',()=>put('search',SEARCH));
step('nothing found',()=>put('search','no dataset is called like this'));
step('all again',()=>put('search',''));
step('failed only',()=>put('state','failed'));
step('every state',()=>put('state',''));
step('by size',()=>sort('Size'));
step('by size, largest first',()=>sort('Size'));
step('next page',()=>at('next').click());
step('opened',()=>document.querySelector('tr.row').click());
step('closed by the keyboard',()=>document.querySelector('tr.row').dispatchEvent(new KeyboardEvent('keydown',{key:'Enter',bubbles:true})));
const out=document.createElement('script');out.type='application/json';out.id='told';out.textContent=JSON.stringify(told).replace(/</g,'\\u003c');document.body.append(out);
"""
wrong = []


def used(text, search, width):
    script = "<script>{" + STEPS.replace("SEARCH", json.dumps(search)) + "}</script></body>"
    with tempfile.NamedTemporaryFile("w", suffix=".html") as file:
        file.write(text.replace("</body>", script))
        file.flush()
        dom = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", "--dump-dom",
             f"file://{file.name}"], check=True, capture_output=True, text=True, timeout=300).stdout
    found = re.search(r'<script type="application/json" id="told">(.*?)</script>', dom, re.S)
    return json.loads(found[1]) if found else [{"error": "the page's script did not come to its end"}]


def judge(data, steps, what):
    datasets, per_page = data["datasets"], 100
    search = min((d["path"] for d in datasets), key=len).lower()
    words = search.split()
    text = lambda d: " ".join([d["path"], d["target"], d["cause"] or "", d["class"] or "", json.dumps(d["metadata"] or "")]).lower()
    hits = sum(all(word in text(d) for word in words) for d in datasets)
    failed = sum(d["state"] == "failed" for d in datasets)
    count = len(datasets)
    expected = {"as opened": count, "searched": hits, "nothing found": 0, "all again": count, "failed only": failed,
                "every state": count, "by size": count, "by size, largest first": count}
    sizes = {}
    for d in datasets:
        sizes.setdefault(d["path"], d["source_bytes"] or 0)
    by_name = {step.get("name"): step for step in steps}
    for step in steps:
        if "error" in step:
            wrong.append(f"{what}: {step['error']}")
            continue
        name = step["name"]
        if name in expected:
            if not step["count"].startswith(f"{expected[name]} of {count} datasets") or step["rows"] != min(per_page, expected[name]):
                wrong.append(f"{what}: {name}: {expected[name]} expected: {step}")
        if step["ms"] > 5000:
            wrong.append(f"{what}: {name} takes {step['ms']:.0f} ms")
        if step["sideways"]:
            wrong.append(f"{what}: {name}: the page is wider than its window")
    if failed and by_name["failed only"]["states"] != ["failed"]:
        wrong.append(f"{what}: the filter shows other states: {by_name['failed only']}")
    if sizes[by_name["by size, largest first"]["first"]] != max(sizes.values()):
        wrong.append(f"{what}: the largest is not first: {by_name['by size, largest first']}")
    if count > per_page and "page 2 of" not in by_name["next page"]["count"]:
        wrong.append(f"{what}: there is no next page: {by_name['next page']}")
    if (by_name["opened"]["open"], by_name["closed by the keyboard"]["open"]) != (1, 0):
        wrong.append(f"{what}: a row does not open and close")
    print(f"{what}: {count} rows, slowest step {max(step.get('ms', 0) for step in steps):.0f} ms")


before, text, after = DATA.search(page).groups()
start, end = DATA.search(page).span(2)
# A link of the page itself would be an attribute or a request of its style or script; data are only ever shown as text.
for link in re.findall(r"""(?:src|href)=(?!["']?data:)[^\s>]+|@import|url\(|fetch\(|https?://(?!www\.w3\.org/2000/svg)""", page[:start] + page[end:]):
    wrong.append(f"something comes from elsewhere: {link}")
small = json.loads(text)
large = dict(small)
large["datasets"] = []
for number in range(10_000):
    like = dict(small["datasets"][number % len(small["datasets"])])
    for key in ("path", "target"):
        like[key] = f"{number // len(small['datasets']):04}/{like[key]}"
    large["datasets"].append(like)
for data, what in [(small, "as it is"), (large, "grown")]:
    whole = page[:start] + json.dumps(data).replace("<", "\\u003c") + page[end:]
    search = min((d["path"] for d in data["datasets"]), key=len)
    for width in (1280, 480):
        judge(data, used(whole, search, width), f"{what}, {width} pixels wide")
for line in wrong:
    print("WRONG", line)
sys.exit(bool(wrong))
