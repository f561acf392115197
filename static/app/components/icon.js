// Line drawings beside words. A word always says the same, so a screen reader passes over them.

const PATHS = {
  alert: "M12 3 2 20h20L12 3zM12 9.5v5M12 17.5v.2",
  back: "M15 5l-7 7 7 7",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15L6 17zM10 21.5h4",
  camera: "M4 7h4l1.5-2.5h5L16 7h4v12H4V7zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  chat: "M4 5h16v11h-8l-4.5 4v-4H4V5zM8.5 10.5h.1M12 10.5h.1M15.5 10.5h.1",
  check: "M4.5 12.5l5 5 10-11",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.5l3.5 2",
  download: "M12 4v11M7 10.5l5 5 5-5M4.5 20h15",
  hand: "M7 12V6.5a1.5 1.5 0 0 1 3 0V11m0-6a1.5 1.5 0 0 1 3 0v6m0-5a1.5 1.5 0 0 1 3 0v6m0-3a1.5 1.5 0 0 1 3 0v5a6.5 6.5 0 0 1-12 3.5L4 13.5a1.6 1.6 0 0 1 3-1.5",
  home: "M3.5 11 12 4l8.5 7M6 9.5V20h12V9.5M10 20v-6h4v6",
  letter: "M3 6h18v13H3V6zM3 7.5l9 6.5 9-6.5",
  letters: "M3 19 8.5 5 14 19M5 14.5h7M15.5 19l3-8 3 8M16.5 16.5h4",
  list: "M6 3h12v18H6V3zM9 8h6M9 12h6M9 16h4",
  next: "M9 5l7 7-7 7",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 11a3 3 0 1 0-1-5.5M17 14c3 .3 4.5 2.5 4.5 6",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 21c0-4.5 3.5-7 7.5-7s7.5 2.5 7.5 7",
  phone: "M6.5 3.5 9.5 4l1.5 4.5-2 1.5c1 2.5 2.5 4 5 5l1.5-2 4.5 1.5.5 3c-.5 2-2 3-4 3C9.5 20 4 14.5 3.5 7.5c0-2 1-3.5 3-4z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3 20.5 20.5",
  speaker: "M4 9.5v5h3.5L12 19V5L7.5 9.5H4zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  stop: "M6 6h12v12H6z",
  video: "M3 6.5h12v11H3v-11zM15 11l6-3.5v9L15 13",
  window: "M4 20V9l8-5 8 5v11M4 20h16M9 20v-6h6v6M8 10.5h8",
};

export default {
  props: { name: { type: String, required: true } },
  setup: () => ({ PATHS }),
  template: /* html */ `
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" fill="none" stroke="currentColor"
      stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path :d="PATHS[name]"/></svg>
  `,
};
