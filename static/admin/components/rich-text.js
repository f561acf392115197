// The editor of a notice's text: few marks, so that it reads well in large letters. What is pasted from Word or a web page
// is reduced to what the server keeps.

import Squire from "/static/vendor/squire-rte-2.4.8/squire.mjs";
import YIcon from "./icon.js";
import { clean, stored } from "./notice-html.js";
import { say } from "./ui.js";

const { onBeforeUnmount, onMounted, reactive, ref, watch } = Vue;
const { ElMessageBox } = ElementPlus;
const BLOCKS = "p, h2, h3, div";
const ADDRESS = /^(https?:\/\/\S+|tel:[\d+-]+)$/;

export default {
  name: "RichText",
  components: { YIcon },
  props: {
    modelValue: { type: String, default: "" },
    pictures: { type: Object, required: true }, // the shelf of the notice
    upload: { type: Function, required: true }, // (File) → the id of the picture
    label: { type: String, default: "正文" },
  },
  emits: ["update:modelValue"],
  setup(props, { emit }) {
    const area = ref(null);
    const file = ref(null);
    const on = reactive({});
    const can = reactive({ undo: false, redo: false });
    const busy = ref(false);
    let editor = null;
    let said = null; // what was emitted last, so that it is not taken for a change from outside

    const show = (root) => props.pictures.show(root, (work) => editor.modifyDocument(work));
    const toFragment = (html) => show(clean(html));
    function read() {
      show(area.value); // what undo has brought back
      said = stored(editor.getHTML());
      emit("update:modelValue", said);
    }
    function marks() {
      for (const tag of ["B", "I", "U", "A", "UL", "OL", "H2", "H3"]) on[tag] = editor.hasFormat(tag);
    }
    function fill(html) {
      said = html;
      editor.setHTML(html);
      marks();
    }
    onMounted(() => {
      editor = new Squire(area.value, { blockTag: "P", addLinks: false, sanitizeToDOMFragment: toFragment, didError: console.error });
      fill(props.modelValue);
      for (const event of ["pathChange", "select", "cursor"]) editor.addEventListener(event, marks);
      editor.addEventListener("input", read);
      editor.addEventListener("undoStateChange", ({ detail }) => Object.assign(can, { undo: detail.canUndo, redo: detail.canRedo }));
      editor.addEventListener("pasteImage", ({ detail }) => insert([...detail.clipboardData.items].map((item) => item.getAsFile()).filter(Boolean)));
    });
    onBeforeUnmount(() => editor.destroy());
    watch(() => props.modelValue, (html) => html !== said && fill(html));

    const toggle = (tag, put, take) => (on[tag] ? editor[take]() : editor[put]());
    /** Turn the chosen paragraphs into headings, or headings back into paragraphs. */
    function turn(tag) {
      const into = on[tag] ? "P" : tag;
      editor.modifyBlocks((fragment) => {
        for (const block of fragment.querySelectorAll(BLOCKS)) {
          const turned = document.createElement(into);
          turned.append(...block.childNodes);
          block.replaceWith(turned);
        }
        return fragment;
      });
      editor.focus();
    }
    async function link() {
      if (on.A) return editor.removeLink();
      const range = editor.getSelection();
      const asked = await ElMessageBox.prompt("先选中几个字再加链接，点这几个字就会打开。电话写成 tel:号码。", "加链接", {
        confirmButtonText: "加上", cancelButtonText: "取消", inputPlaceholder: "https://", inputPattern: ADDRESS, inputErrorMessage: "请写完整的网址（http:// 或 https:// 开头），或 tel: 加号码。",
      }).catch(() => null);
      if (!asked) return;
      editor.setSelection(range);
      editor.makeLink(asked.value);
    }
    async function insert(files) {
      busy.value = true;
      const range = editor.getSelection();
      try {
        for (const one of files) {
          const id = await props.upload(one);
          editor.setSelection(range);
          editor.insertHTML(`<img data-file="${id}" alt="">`);
        }
      } catch (problem) {
        say(problem);
      } finally {
        busy.value = false;
      }
    }
    const chosen = (event) => {
      insert([...event.target.files]);
      event.target.value = "";
    };
    const tools = [
      { tag: "H2", name: "标题", do: () => turn("H2") },
      { tag: "H3", name: "小标题", do: () => turn("H3") },
      { tag: "B", name: "加粗", do: () => toggle("B", "bold", "removeBold") },
      { tag: "U", name: "下划线", do: () => toggle("U", "underline", "removeUnderline") },
      { tag: "UL", name: "分条", do: () => toggle("UL", "makeUnorderedList", "removeList") },
      { tag: "OL", name: "编号", do: () => toggle("OL", "makeOrderedList", "removeList") },
      { tag: "A", name: "链接", do: link },
    ];
    const act = (name) => editor[name]();
    return { area, file, on, can, busy, tools, act, chosen };
  },
  template: `
    <div class="rich-text">
      <div class="tools" role="toolbar" :aria-label="label + '的格式'">
        <button v-for="tool in tools" :key="tool.tag" type="button" class="tool" :class="{ on: on[tool.tag] }" :aria-pressed="Boolean(on[tool.tag])" @mousedown.prevent @click="tool.do" :data-testid="'tool-' + tool.tag.toLowerCase()">{{ tool.name }}</button>
        <button type="button" class="tool" :disabled="busy" @mousedown.prevent @click="file.click()" data-testid="tool-picture"><y-icon name="photo" size="16"/> {{ busy ? '正在上传…' : '图片' }}</button>
        <button type="button" class="tool" @mousedown.prevent @click="act('removeAllFormatting')">清除格式</button>
        <span class="grow"></span>
        <button type="button" class="tool" :disabled="!can.undo" @mousedown.prevent @click="act('undo')">撤销</button>
        <button type="button" class="tool" :disabled="!can.redo" @mousedown.prevent @click="act('redo')">重做</button>
      </div>
      <input ref="file" type="file" accept="image/jpeg,image/png,image/webp" multiple hidden @change="chosen" data-testid="editor-picture">
      <div ref="area" class="text-area notice-text" role="textbox" aria-multiline="true" :aria-label="label" data-testid="editor"></div>
    </div>`,
};
