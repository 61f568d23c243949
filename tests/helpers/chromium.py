"""A real browser, if it is installed: Chromium, its driver and selenium.

With SKL2H_BROWSER_TESTS=1 in the environment, a missing part is an error.
"""

import os
import shutil
import subprocess

try:
    from selenium import webdriver
except ImportError:
    webdriver = None

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

missing = [
    name
    for name, found in (("selenium", webdriver), ("chromium", CHROMIUM), ("chromedriver", DRIVER))
    if not found
]
if missing and os.environ.get("SKL2H_BROWSER_TESTS") == "1":
    raise RuntimeError(f"SKL2H_BROWSER_TESTS=1, but there is no {', '.join(missing)}.")


def start_chromium():
    """Driver of a browser without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    # Chromium's sandbox needs permissions that containers do not have.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(DRIVER, log_output=subprocess.DEVNULL)
    return webdriver.Chrome(options=options, service=service)


def emulate(driver, width, height, scheme):
    """Set the size of the screen, and the reader's preference for light or dark pages."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
