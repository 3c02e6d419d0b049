"""The page of gallery in a Chromium without a window, by its debugging pipe.

usage: page.py CHROMIUM PAGE IMAGES     prints TAP; IMAGES: how many the page shall show
       page.py CHROMIUM PAGE --time     how long it takes to open and to scroll, in seconds
       page.py CHROMIUM PAGE --shot LIGHT.png DARK.png LARGE.png
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time


class Browser:
    def __init__(self, program, size="1280,900"):
        self.folder = tempfile.mkdtemp()
        down, up = os.pipe(), os.pipe()

        def hand_over():  # the browser reads 3 and writes 4
            reading, writing = os.dup(down[0]), os.dup(up[1])
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--allow-file-access-from-files", f"--user-data-dir={self.folder}",
             f"--window-size={size}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=hand_over)
        os.close(down[0])
        os.close(up[1])
        self.to, self.come_from = down[1], up[0]
        self.rest, self.number, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.rest:
            more = os.read(self.come_from, 1 << 20)
            if not more:
                raise SystemExit("Bail out! the browser ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"].get("description", expression))
        return result["result"].get("value")

    def wait_for(self, expression, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.value(expression):
                return True
            time.sleep(0.05)
        return False

    def open(self, page):
        self.call("Page.navigate", url="file://" + os.path.abspath(page))
        return self.wait_for("document.readyState === 'complete'", 120)

    def key(self, key, code=None, number=0, text=None):
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode=number, **(more if kind == "keyDown" else {}))

    def tab(self):
        self.key("Tab", number=9)

    def dark(self, dark):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def shoot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def complaints(self):
        """What the console would show in red."""
        self.value("0")
        return [event["params"] for event in self.events
                if event.get("method") == "Runtime.exceptionThrown"
                or event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"]

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


# ---- TAP ----

count = failures = 0


def check(good, what, why=""):
    global count, failures
    count += 1
    failures += not good
    print(f"{'' if good else 'not '}ok {count} - {what}")
    if not good and why != "":
        print(f"# {why}")


def same(got, expected, what):
    check(got == expected, what, f"{got!r}, not {expected!r}")


FOCUS = "document.activeElement.id || document.activeElement.tagName"
CONTRAST = """(selector => {
  const luminance = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { const c = getComputedStyle(e).backgroundColor; return c === "rgba(0, 0, 0, 0)" && e.parentElement ? ground(e.parentElement) : c; };
  return Math.min(...[...document.querySelectorAll(selector)].map(e => {
    const a = luminance(getComputedStyle(e).color), b = luminance(ground(e));
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); }));
})(%s)"""


def nodes(browser, role):
    return [node for node in browser.call("Accessibility.getFullAXTree")["nodes"]
            if node.get("role", {}).get("value") == role and not node.get("ignored")]


def name(node):
    return node.get("name", {}).get("value", "")


def test_page(browser, images):
    same(browser.value("document.querySelectorAll('#grid li').length"), images, "a card an image")
    check(browser.value("images.length > 0 && document.title === data.title"), "the title is that of the data")
    same(browser.value("document.querySelectorAll('#charts svg').length"), 3, "histograms of size, intensity and shape")
    check(browser.value("chosen.every((image, i) => !i || weight(chosen[i - 1]) >= weight(image))"),
          "what looks wrong comes first")
    browser.value("at('order').value = 'cells', at('order').oninput(), 0")
    check(browser.value("chosen.every((image, i) => !i || chosen[i - 1].cells >= image.cells)"), "or most cells")
    browser.value("at('order').value = 'wrong', at('order').oninput(), 0")
    conditions = browser.value("data.conditions.length")
    same(browser.value("at('condition').options.length"), conditions + 1, "every condition can be chosen")
    browser.value("at('condition').value = '1', at('condition').oninput(), 0")
    check(browser.value("chosen.length > 0 && chosen.length < images.length && chosen.every(image => image.condition === 1)"),
          "and alone is shown")
    browser.value("at('condition').value = '', at('condition').oninput(), 0")
    same(browser.value("[...document.querySelectorAll('#grid img:not(.outline)')].filter(e => e.complete && !e.naturalWidth).length"),
         0, "pictures are there")


def test_colors(browser):
    grounds = []
    for dark in (False, True):
        browser.dark(dark)
        grounds.append(browser.value("getComputedStyle(document.body).backgroundColor"))
        for selector in ("body", ".soft", ".name .warn", "#charts figcaption", "button"):
            ratio = browser.value(CONTRAST % json.dumps(selector))
            check(ratio is None or ratio >= 4.5, f"{selector} can be read, {'dark' if dark else 'light'}", f"contrast {ratio}")
    check(grounds[0] != grounds[1], "dark where people want it")
    browser.dark(False)


def test_keyboard(browser):
    browser.value("document.activeElement.blur(), scrollTo(0, 0), 0")
    seen = []
    for _ in range(7):
        browser.tab()
        seen.append(browser.value(FOCUS))
    same(seen[:5], ["order", "condition", "search", "outlines", "side"], "the keyboard goes from control to control")
    check("BUTTON" in seen[5:], "and on to the images", seen)
    browser.value("document.querySelectorAll('#grid button')[1].focus(), 0")
    first = browser.value("document.activeElement.closest('li').dataset.index")
    browser.key("Enter", number=13, text="\r")
    check(browser.wait_for("at('large').open", 5), "Enter shows an image large")
    check(browser.value("at('large').contains(document.activeElement)"), "with the keyboard inside")
    before = browser.value("at('large-name').textContent")
    browser.key("ArrowRight", number=39)
    check(browser.wait_for(f"at('large-name').textContent !== {json.dumps(before)}", 5), "an arrow shows the next")
    browser.key("ArrowLeft", number=37)
    same(browser.value("at('large-name').textContent"), before, "and the one before")
    browser.key("Escape", number=27)
    check(browser.wait_for("!at('large').open", 5), "Escape closes it")
    same(browser.value("document.activeElement.closest('li') && document.activeElement.closest('li').dataset.index"), first,
         "and the keyboard is where it was")
    browser.key("o", code="KeyO", number=79, text="o")
    same(browser.value("getComputedStyle(document.querySelector('#grid .outline')).display"), "none", "o hides outlines")
    browser.key("o", code="KeyO", number=79, text="o")
    check(browser.value("getComputedStyle(document.querySelector('#grid .outline')).display") != "none", "and shows them")
    browser.value("at('search').focus(), 0")
    browser.key("o", code="KeyO", number=79, text="o")
    check(browser.value("at('outlines').checked && at('search').value === 'o'"), "but where people write")
    browser.value("at('search').value = '', at('search').oninput(), 0")


def test_large(browser):
    browser.value("document.querySelectorAll('#grid li')[images.length - 1].querySelector('button').click(), 0")
    check(browser.wait_for("at('large').open && at('large-view').querySelector('img').naturalWidth > 0", 10),
          "a click shows the preview")
    check(browser.value("at('large-view').querySelectorAll('img').length") == 2, "with its outlines")
    browser.key("z", code="KeyZ", number=90, text="z")
    check(browser.value("(e => e.clientWidth === e.naturalWidth && e.clientHeight === e.naturalHeight)(at('large-view').querySelector('img'))"),
          "z shows it pixel for pixel")
    check(browser.value("(([a, b]) => a.clientWidth === b.clientWidth && a.clientHeight === b.clientHeight)([...at('large-view').querySelectorAll('img')])"),
          "and the outlines as large")
    browser.key("z", code="KeyZ", number=90, text="z")
    same(browser.value("at('full').getAttribute('aria-pressed')"), "false", "and again all of it")
    links = browser.value("[...at('large-links').querySelectorAll('a')].map(a => a.getAttribute('href'))")
    folder = browser.value("decodeURIComponent(location.pathname.replace(/[^/]*$/, ''))")
    same([link for link in links if not os.path.exists(folder + link)], [], "and links to what is there")
    same(sorted(name(node) for node in nodes(browser, "button") if not name(node)), [], "buttons have names")
    check(any(name(node) for node in nodes(browser, "dialog")), "the dialog has a name")
    browser.value("at('close').click(), 0")


def test_reader(browser):
    for role in ("button", "image", "combobox", "checkbox", "searchbox", "slider", "list", "group"):
        there = nodes(browser, role)
        same([name(node) for node in there if not name(node) and role != "list"], [], f"every {role} has a name")
    same(len([node for node in nodes(browser, "heading")]) >= 3, True, "there are headings")
    same(len(nodes(browser, "main")), 1, "and a main part")
    same(len([node for node in nodes(browser, "status") if node]), 1, "how many are shown is told")


def test_many(browser, images):
    """The same images again and again: 10,000."""
    browser.value("for (let i = 0; images.length < 10000; i++)"
                  f" images.push({{...images[i % {images}], path: 'many/' + i}}); choose(), 0")
    most = 0
    for part in (0.1, 0.5, 0.9, 1):
        browser.value(f"scrollTo(0, {part} * document.body.scrollHeight), new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        most = max(most, browser.value("document.querySelectorAll('#grid li').length"))
        check(browser.value("[...document.querySelectorAll('#grid li')].some(e => { const r = e.getBoundingClientRect(); return r.bottom > 0 && r.top < innerHeight; })"),
              f"cards are there after scrolling to {part}")
    check(most < 400, "and no more than can be seen", most)


def main():
    program, page, what = sys.argv[1:4]
    browser = Browser(program)
    try:
        if what == "--time":
            begun = time.monotonic()
            browser.open(page)
            browser.wait_for("document.querySelectorAll('#grid li').length > 0")
            print(f"open {time.monotonic() - begun:.2f}")
            begun = time.monotonic()
            browser.wait_for("[...document.querySelectorAll('#grid img')].every(e => e.complete)")
            print(f"pictures {time.monotonic() - begun:.2f}")
            print("frames", browser.value("""new Promise(done => { const times = []; let last = performance.now(), y = 0;
                const step = now => { times.push(now - last); last = now; y += 400; scrollTo(0, y);
                  if (times.length < 120) requestAnimationFrame(step); else { times.sort((a, b) => a - b);
                    done(`median ${times[60].toFixed(1)} ms, slowest ${times[119].toFixed(1)} ms`); } };
                requestAnimationFrame(step); })"""))
        elif what == "--shot":
            browser.open(page)
            time.sleep(2)
            browser.dark(False)
            browser.shoot(sys.argv[4])
            browser.dark(True)
            browser.shoot(sys.argv[5])
            browser.value("document.querySelectorAll('#grid button')[2].click(), 0")
            time.sleep(1)
            browser.shoot(sys.argv[6])
        else:
            check(browser.open(page), "the page opens")
            images = int(what)
            browser.wait_for("[...document.querySelectorAll('#grid img')].every(e => e.complete)")
            test_page(browser, images)
            test_colors(browser)
            test_keyboard(browser)
            test_large(browser)
            test_reader(browser)
            same(browser.complaints(), [], "nothing is wrong in the console")
            test_many(browser, images)
            print(f"1..{count}")
    finally:
        browser.close()
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
