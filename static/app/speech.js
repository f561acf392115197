// Reading aloud in Mandarin, by the phone's own voice.
//
// Browsers lie about voices: the list comes late, some Android web-views never fill it and speak all the same. So the
// button is shown wherever the interface exists. A voice that does not begin within a few seconds counts as none: whoever
// pressed the button is told so, and nothing is read aloud by itself any more.

const { reactive } = Vue;

const synthesis = window.speechSynthesis;
const SILENT_MS = 4000;
const PER_LETTER_MS = 330;

export const speech = reactive({
  offered: Boolean(synthesis && window.SpeechSynthesisUtterance),
  speaking: false,
  silent: false, // tried, and nothing was heard
  pagesHeard: 0, // how many times a page was read to its end; a page may watch it
});

let turn = 0;

export function stop() {
  turn += 1;
  speech.speaking = false;
  if (speech.offered) synthesis.cancel();
}

/** Say something by the page's own wish; a phone that was silent once is not waited for again. */
export const speak = (text) => (speech.silent ? Promise.resolve(false) : read(text));

/** Read a text, sentence by sentence: Chrome goes silent in a long one. Resolves to whether it was heard to the end. */
export async function read(text) {
  stop();
  if (!speech.offered) return false;
  speech.silent = false;
  const mine = turn;
  speech.speaking = true;
  let heard = true;
  for (const sentence of sentences(text)) {
    heard = await say(sentence);
    if (mine !== turn) return false;
    if (!heard) break;
  }
  speech.speaking = false;
  return heard;
}

/** Read a whole page. Resolves to whether it was heard to the end. */
export async function readPage(element) {
  const heard = await read(wordsOf(element));
  if (heard) speech.pagesHeard += 1;
  return heard;
}

/** What a page says, for reading aloud: its visible words, without pictures and without what marks itself quiet. */
function wordsOf(element) {
  const lines = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) lines.push(node.textContent);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.hidden || node.getAttribute("aria-hidden") === "true" || node.dataset.quiet !== undefined) return;
    const block = getComputedStyle(node).display !== "inline";
    if (block) lines.push("\n");
    node.childNodes.forEach(walk);
    if (block) lines.push("\n");
  };
  walk(element);
  return lines.join("").replace(/[ \t]+/g, " ").replace(/\s*\n\s*/g, "\n").trim();
}

const sentences = (text) => (text.match(/[^。！？；\n]+[。！？；]?/g) || []).map((part) => part.trim()).filter(Boolean);

/** Say one sentence; resolves to whether it was heard. Nothing that a voice does wrong may stop a page. */
function say(sentence) {
  return new Promise((resolve) => {
    let begun = false;
    const over = (heard) => {
      clearTimeout(silence);
      clearTimeout(end);
      resolve(heard);
    };
    const noVoice = () => {
      speech.silent = true;
      over(false);
    };
    const silence = setTimeout(() => {
      if (begun) return;
      synthesis.cancel();
      noVoice();
    }, SILENT_MS);
    // some phones forget to say that they have finished
    const end = setTimeout(() => over(begun), SILENT_MS + sentence.length * PER_LETTER_MS * 2);
    try {
      const utterance = new SpeechSynthesisUtterance(sentence);
      utterance.lang = "zh-CN";
      utterance.rate = 0.9;
      const voice = synthesis.getVoices().find((one) => /^(zh|cmn)([-_](CN|Hans))?/i.test(one.lang));
      if (voice) utterance.voice = voice;
      utterance.onstart = () => (begun = true);
      utterance.onend = () => over(true);
      utterance.onerror = ({ error }) => {
        // stopped by us, or not allowed before the first tap: that says nothing about the voice
        const harmless = begun || ["canceled", "interrupted", "not-allowed"].includes(error);
        if (harmless) over(false);
        else noVoice();
      };
      synthesis.speak(utterance);
    } catch (error) {
      noVoice();
    }
  });
}
