"""The page in a browser: the way through a queue by keyboard and mouse, in any script."""

import json
import socket
from threading import Thread
from types import SimpleNamespace

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("fastapi")
pytest.importorskip("selenium")
import uvicorn
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.support.wait import WebDriverWait

from spacy_datnet.serve.app import make_app
from spacy_datnet.serve.store import Answer, Queue

EMOJI = "👩‍🔬🇪🇸 met  Ana in Lima <b> & 🎈\r\n\ttoday"
ARABIC = "تقع مدينة دمشق في سوريا"
# where a word is on the screen
PLACE = """
const nodes = document.createTreeWalker(document.getElementById("text"), NodeFilter.SHOW_TEXT);
while (nodes.nextNode()) {
  const at = nodes.currentNode.data.indexOf(arguments[0]);
  if (at < 0) continue;
  const range = new Range();
  range.setStart(nodes.currentNode, at);
  range.setEnd(nodes.currentNode, at + arguments[0].length);
  const box = range.getBoundingClientRect();
  return [box.x + 0.7 * box.width, box.y + box.height / 2];
}
"""
LONG = "Ana vive en Lima , en una calle con casas de cinco pisos y muchos árboles . " * 60


@pytest.fixture
def page(browser, nlp, write_queue):
    texts = (
        {"text": EMOJI},
        {"text": ARABIC},
        {"text": LONG, "spans": [], "meta": {"rank": "<i>3</i>"}},
        {"text": "the end", "tokens": [{"start": 0, "end": 3}, {"start": 4, "end": 7}], "asked": [1]},
    )
    queue = Queue(write_queue(*texts))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(nlp, queue), log_level="warning"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    screen(browser, 1200)
    browser.get(f"http://127.0.0.1:{listening.getsockname()[1]}/")

    def press(*keys):
        ActionChains(browser).send_keys(*keys).perform()

    def find(selector):
        return browser.find_element("css selector", selector)

    def wait(condition):
        WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda _: condition())

    def saved(number):
        one = queue.saved()[queue.keys[number]]
        text = queue.tasks[number].text
        spans = {(text[span["start"] : span["end"]], span["label"]) for span in json.loads(one.spans)}
        return one.answer, spans

    yield SimpleNamespace(queue=queue, press=press, find=find, wait=wait, saved=saved)
    server.should_exit = True
    thread.join()


def screen(browser, width, scheme="light"):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def test_a_browser_works_through_the_queue(browser, page):
    press, find, wait, saved = page.press, page.find, page.wait, page.saved

    def at(number):
        wait(lambda: find("#where").text.startswith(f"Text {number + 1},"))

    def words():
        return "".join(word.text for word in browser.find_elements("css selector", "#text .on"))

    def mouse(word, other=None):
        """Click on a word, or press on it and release on the other."""
        actions = ActionBuilder(browser)
        actions.pointer_action.move_to_location(*map(int, browser.execute_script(PLACE, word)))
        actions.pointer_action.pointer_down()
        actions.pointer_action.move_to_location(*map(int, browser.execute_script(PLACE, other or word)))
        actions.pointer_action.pointer_up()
        actions.perform()

    def marks():
        return [mark.text for mark in browser.find_elements("css selector", "#text mark")]

    at(0)
    # what the pipeline found is shown, and is no markup
    assert marks() == ["👩‍🔬PER 0.90", "AnaPER 0.90", "LimaLOC 0.40"]
    assert "<b>" in find("#text").text
    # by mouse: words behind an emoji become an entity with the label that is pressed
    find("[data-label=ORG]").click()
    mouse("Ana", "in")
    assert find("#said").text == "Ana in: ORG"
    mouse("Lima")
    press(Keys.DELETE)
    mouse("🎈")
    assert words() == "🎈"
    press("3", "a")
    at(1)
    assert saved(0) == ("accept", {("👩‍🔬", "PER"), ("Ana in", "ORG"), ("🎈", "PER")})
    # by keyboard, from the right to the left
    press(Keys.ARROW_LEFT)
    assert words() == "تقع"
    press(Keys.ARROW_LEFT)
    ActionChains(browser).key_down(Keys.SHIFT).send_keys(Keys.ARROW_LEFT).key_up(Keys.SHIFT).perform()
    assert words() == "مدينة دمشق"
    press("2")  # covers what was there
    assert find("#said").text == "مدينة دمشق: ORG"
    press("u", "e", "2")  # without the change, the entity of the pipeline gets another label
    # another tab was faster
    assert page.queue.save(1, Answer(version=0, answer="ignore", spans=[]))
    press("a")
    wait(find("#problem").is_displayed)
    assert "DN377" in find("#problem").text and "answered: ignore" in find("#where").text
    assert marks() == []
    press("u", "a")
    at(2)
    assert saved(1) == ("accept", {("دمشق", "ORG")})
    # undo takes an answer back, with what was marked
    press("u")
    at(1)
    assert saved(1) == ("ignore", set())
    press("a")
    at(2)
    assert "rank: <i>3</i>" in find("#where").text and not find("#problem").is_displayed()
    press(Keys.END, "1", "x")
    at(3)
    assert saved(2) == ("reject", {(".", "LOC")})
    find("#new-label").send_keys("A&B", Keys.ENTER)
    assert find("#text .rest").text == "the" and "grey words" in find("#where").text
    press(Keys.END, "4", Keys.ENTER)
    wait(lambda: "All texts are answered" in find("#said").text)
    assert saved(3) == ("accept", {("end", "A&B")})
    assert "4 of 4 answered: 3 accepted, 1 rejected, 0 ignored" in find("#progress").text
    find("#export button").click()
    wait(lambda: "Exported as suggestions.jsonl" in find("#said").text)
    for element in browser.find_elements("css selector", "button, input, select, textarea, .text"):
        assert not element.is_displayed() or element.accessible_name
    assert [entry for entry in browser.get_log("browser") if "409" not in entry["message"]] == []


def test_a_browser_shows_a_threshold_on_any_screen(browser, page):
    find = page.find
    page.wait(find("#text").is_displayed)
    find("a[href='#try']").click()
    find("#pasted").send_keys("Ana in Lima, Acme", Keys.CONTROL, Keys.ENTER)
    page.wait(find("#found").is_displayed)
    # the mean of 0.9; 0.9 of 0.9 + 0.4
    assert "1 of 2 entities" in find("#expected").text and "precision: 0.90" in find("#expected").text
    assert "recall: 0.69" in find("#expected").text and "1 entities have no confidence" in find("#expected").text
    find("#threshold").send_keys(Keys.HOME)
    assert "precision: 0.65" in find("#expected").text and "recall: 1.00" in find("#expected").text
    root = "document.documentElement"
    for width in (375, 1200):
        for scheme in ("light", "dark"):
            screen(browser, width, scheme)
            for view in ("try", "queue"):
                browser.execute_script(f"location.hash = '{view}'")
                assert browser.execute_script(f"return {root}.scrollWidth <= {root}.clientWidth")
    assert [entry for entry in browser.get_log("browser") if "409" not in entry["message"]] == []
