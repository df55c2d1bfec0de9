"""A headless Chromium, and the words the console's tests are written in."""

import pathlib
import shutil

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


class Browser:
    """Chromium with the console's address; every message of its own console is kept."""

    def __init__(self, url, downloads, width=1280, dark=False):
        self.url = url
        self.downloads = pathlib.Path(downloads)
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},900"):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver") or "/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        if dark:
            self.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def close(self):
        self.driver.quit()

    def open(self, address=""):
        self.driver.get(f"{self.url}/{address}")
        return self

    def until(self, condition, what="the page did not become so"):
        def met(_):
            try:
                return condition()
            except StaleElementReferenceException:
                return False
        return WebDriverWait(self.driver, 20, poll_frequency=0.05).until(met, what)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.until(lambda: (self.all(selector) or [None])[0], f"no {selector}")

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def see(self, text):
        self.until(lambda: text in self.text(), f"'{text}' does not appear in: {self.text()[:2000]}")
        return self

    def press(self, name, within=""):
        """Presses the button or link with that text or label."""
        def found():
            for element in self.all(f"{within} button, {within} a"):
                if name in (element.text.split("\n")[0].strip(), element.get_attribute("aria-label")) and element.is_displayed():
                    return element
            return None
        self.until(found, f"no '{name}' to press in: {self.text()[:2000]}").click()
        return self

    def type(self, selector, text):
        field = self.one(selector)
        field.clear()
        field.send_keys(text)
        return self

    def log_in(self, user, password):
        self.type("#user", user).type("#password", password).press("Log in")
        return self

    def column(self, number):
        """The texts of one column of the first table, from 1."""
        return [cell.text for cell in self.all(f"tbody tr > *:nth-child({number})")]

    def width_needed(self):
        return self.driver.execute_script("return document.documentElement.scrollWidth")

    def complaints(self):
        """What the browser has to say against the page: script errors, blocked resources."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "the server responded with a status of" not in entry["message"]]
