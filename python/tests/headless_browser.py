"""A Chromium or Chrome without a window, driven by selenium: for tests and benchmarks of pages."""
from __future__ import annotations

import os
import shutil
import sys

MAC_BROWSERS = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")


class NoBrowser(Exception):
    """What is missing here, in words."""


def open_browser(folder):
    """A webdriver with a fresh profile in `folder`. On Linux chromedriver lies beside Chromium (Debian: chromium-driver); on a Mac selenium
    fetches it."""
    try:
        from selenium import webdriver
    except ImportError as error:
        raise NoBrowser("selenium is not installed") from error
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None and sys.platform == "darwin":
        browser = next(filter(os.path.exists, MAC_BROWSERS), None)
    service = shutil.which("chromedriver")
    if browser is None or (service is None and sys.platform != "darwin"):
        raise NoBrowser("no Chromium with chromedriver is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1400,1600",
                     f"--user-data-dir={folder}"):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(service) if service else None)
