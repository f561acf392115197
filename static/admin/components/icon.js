// Small line icons. Always beside words, so they are hidden from screen readers.

const PATHS = {
  home: "M3 11l9-8 9 8M5 10v10h5v-6h4v6h5V10",
  people: "M9 11a4 4 0 100-8 4 4 0 000 8zM2 21c0-4 3-7 7-7s7 3 7 7M16 3.5a4 4 0 010 7M18 14.5c2.5.9 4 3.3 4 6.5",
  review: "M4 5h16v11H9l-5 4zM9 10.5l2 2 4-4",
  todo: "M9 5h11M9 12h11M9 19h11M3 5l1.5 1.5L7 4M3 12l1.5 1.5L7 11M3 19l1.5 1.5L7 18",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 17v3h16v-3",
  user: "M12 12a4.5 4.5 0 100-9 4.5 4.5 0 000 9zM3.5 21c.6-4.5 4-7 8.5-7s7.9 2.5 8.5 7",
  log: "M6 3h9l4 4v14H6zM9 11h7M9 15h7M9 7h3",
  later: "M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3.5 2",
  menu: "M4 6h16M4 12h16M4 18h16",
  out: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  search: "M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5",
  plus: "M12 5v14M5 12h14",
  eye: "M2 12s3.5-7 10-7 10 7 10 7-3.5 7-10 7S2 12 2 12zM12 15a3 3 0 100-6 3 3 0 000 6z",
  edit: "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
  stamp: "M4 21h16M5 17h14v-3h-5l1-6a3 3 0 10-6 0l1 6H5z",
  photo: "M4 7h4l1.5-3h5L16 7h4v13H4zM12 17a4 4 0 100-8 4 4 0 000 8z",
  warn: "M12 3l10 18H2zM12 10v5M12 17.5v.5",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  check: "M4 12.5l5 5L20 6.5",
  cross: "M5 5l14 14M19 5L5 19",
  zoom: "M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5M8 11h6M11 8v6",
  refresh: "M20 11a8 8 0 10-2.3 6.7M20 5v6h-6",
  notice: "M4 10v4h3l8 4V6l-8 4zM18.5 9a4.5 4.5 0 010 6",
  call: "M6 3h4l2 5-3 2a12 12 0 005 5l2-3 5 2v4c0 2-2 3-4 3C10 20 4 14 3 7c0-2 1-4 3-4z",
  template: "M5 3h14v18H5zM9 8h6M9 12h6M9 16h3",
  hand: "M4 13V7a1.5 1.5 0 013 0v4V5a1.5 1.5 0 013 0v6V4a1.5 1.5 0 013 0v7-5a1.5 1.5 0 013 0v8c0 4-2.5 7-6.5 7S4 18 4 13z",
};

export default {
  name: "YIcon",
  props: { name: { type: String, required: true }, size: { type: [String, Number], default: 18 } },
  setup: (props) => ({ path: Vue.computed(() => PATHS[props.name] || "") }),
  template: `<svg class="icon" :width="size" :height="size" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path :d="path"/></svg>`,
};
