// What is too small on a page: text under 18 px, and what is tapped under 48 px. A control counts with its label.
({
  text: [...document.querySelectorAll("body *")]
    .filter((e) => e.offsetParent && !e.closest(".unseen"))
    .filter((e) => [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
    .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 18)
    .map((e) => e.textContent.trim().slice(0, 30)),
  targets: [...document.querySelectorAll("button, a[href], input, label.weui-btn")]
    .filter((e) => e.offsetParent && !e.classList.contains("unseen"))
    .map((e) => (e.closest("label") || e))
    .filter((e) => e.getBoundingClientRect().height < 48 || e.getBoundingClientRect().width < 48)
    .map((e) => `${e.textContent.trim().slice(0, 20)} ${e.outerHTML.slice(0, 80)}`),
});
