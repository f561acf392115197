// What the machine measured, in words with the limits it was held to; what we have no words for stands in a folded table.

import YIcon from "./icon.js";
import { ACTION, MATCH_DECISION, word } from "../words.js";

const { computed } = Vue;
const one = (value) => (Math.round(value * 10) / 10).toString();
const two = (value) => value.toFixed(2);
const three = (value) => value.toFixed(3);

// Limits as in faces/policy.py; a figure outside of them is marked, never decided upon
const NEUTRAL = [
  ["luminance", "光线", one, (value) => value >= 45 && value <= 225, "45 到 225 合适"],
  ["detail", "清晰度", one, (value) => value >= 9, "9 以上清楚；5 到 9 像翻拍，5 以下模糊"],
  ["width", "脸的大小", (value) => `${Math.round(value)} 像素`, (value) => value >= 76, "76 像素以上"],
  ["yaw", "左右偏转", (value) => `${Math.round(Math.abs(value))}°`, (value) => Math.abs(value) <= 22, "22° 以内"],
  ["pitch", "上下俯仰", (value) => `${Math.round(Math.abs(value))}°`, (value) => Math.abs(value) <= 26, "26° 以内"],
  ["eyes_brightness", "眼睛亮度", three, (value) => value >= 0.42, "0.42 以上，低了像戴墨镜"],
];
const ACTED = {
  turn_left: (figures) => ["furthest", `转了 ${Math.round(figures.furthest)}°，要求 15°`],
  turn_right: (figures) => ["furthest", `转了 ${Math.round(figures.furthest)}°，要求 15°`],
  open_mouth: (figures) => ["widest", `张开 ${figures.widest.toFixed(2)}，要求 0.25`],
  blink: (figures) => ["narrowest", `眼睛最小到平时的 ${Math.round(figures.narrowest * 100)}%，要求 62% 以下`],
  nod: (figures) => ["down", `点了 ${Math.round(Math.max(figures.down, figures.up))}°，要求 9°`],
};
const TOGETHER = [["ahead", "正脸", 0.34, 0.42], ["turned", "转头时", 0.4, 0.47]];

function acted(figures) {
  try {
    return ACTED[figures.action](figures)[1];
  } catch {
    return "";
  }
}

/** {match: {distance: 0.4}} as [["match.distance", "0.4"]]. */
function flat(value, path = "") {
  if (value === null || typeof value !== "object") return [[path, typeof value === "number" ? String(Math.round(value * 10_000) / 10_000) : String(value)]];
  return Object.entries(value).flatMap(([name, inner]) => flat(inner, path ? `${path}.${name}` : name));
}

export default {
  name: "FigureList",
  components: { YIcon },
  props: { figures: { type: Object, required: true } },
  setup(props) {
    const match = computed(() => {
      const held = props.figures.match;
      if (typeof held?.distance !== "number") return null;
      // the limits come with the decision, which may be years old; they are those of the normalised distance where there is one
      const normalised = typeof held.normalised === "number";
      const found = { distance: normalised ? held.normalised : held.distance, normalised, decision: held.decision, limits: null };
      const { sure, different } = held.thresholds || {};
      if (typeof sure !== "number" || typeof different !== "number") return found;
      // three equal parts: sure, doubtful, different
      const at = ((found.distance - sure) / Math.max(different - sure, 0.01) + 1) / 3;
      return { ...found, limits: `同一人 ≤ ${two(sure)}，另一人 > ${two(different)}`, at: Math.min(Math.max(at, 0), 1) * 100 };
    });
    const rows = computed(() => {
      const found = [];
      const { actions = [], neutral, one_person: together, presentation } = props.figures;
      for (const action of Array.isArray(actions) ? actions : [])
        found.push({ name: `动作：${word(ACTION, action.action)}`, value: action.seen ? "看到了" : "没有看到", ok: Boolean(action.seen), hint: acted(action) });
      if (neutral && typeof neutral.frames === "number") found.push({ name: "正脸照片", value: `${neutral.good} / ${neutral.frames} 张可用`, ok: neutral.good > 0, hint: "至少 1 张" });
      for (const [key, name, show, fine, hint] of NEUTRAL)
        if (typeof neutral?.[key] === "number") found.push({ name, value: show(neutral[key]), ok: fine(neutral[key]), hint });
      for (const [key, name, doubtful, apart] of TOGETHER)
        if (together?.[key] > 0) found.push({ name: `前后同一人（${name}）`, value: three(together[key]), ok: together[key] <= doubtful, hint: `${doubtful} 以下是同一人，${apart} 以上不是` });
      if (typeof presentation?.movement === "number" && actions.length) found.push({ name: "脸的活动", value: three(presentation.movement), ok: presentation.movement >= 0.03, hint: "0.03 以下像静止照片" });
      if (actions.some?.((action) => action.action?.startsWith("turn_") && action.seen) && typeof presentation?.parallax === "number")
        found.push({ name: "转头时的立体感", value: three(presentation.parallax), ok: presentation.parallax >= 0.022, hint: "0.022 以下像平面照片" });
      return found;
    });
    const raw = computed(() => flat(props.figures));
    return { match, rows, raw, MATCH_DECISION, two };
  },
  template: `
    <div class="figures">
      <div v-if="match" class="match" data-testid="match">
        <p>和登记照片的差异 <b class="big">{{ two(match.distance) }}</b><span v-if="match.limits" data-testid="match-limits">（{{ match.limits }}）</span>：<b :class="match.decision" data-testid="match-decision">{{ MATCH_DECISION[match.decision] }}</b></p>
        <p v-if="match.normalised" class="sub">已和其他登记的人对照过：越小越像，小于零很常见。</p>
        <template v-if="match.limits">
          <div class="gauge" aria-hidden="true"><i class="sure"></i><i class="doubtful"></i><i class="different"></i><em :style="{ left: match.at + '%' }"></em></div>
          <p class="gauge-words" aria-hidden="true"><span>像</span><span>拿不准</span><span>不像</span></p></template>
      </div>
      <p v-else class="note calm" data-testid="no-match">没有和登记照片比对的结果。</p>
      <table v-if="rows.length" class="measure"><thead><tr><th>看什么</th><th>结果</th><th>标准</th></tr></thead>
        <tbody><tr v-for="row in rows" :key="row.name" :class="{ odd: !row.ok }"><th scope="row">{{ row.name }}</th>
          <td><y-icon :name="row.ok ? 'check' : 'warn'" size="14"/> {{ row.value }}</td><td class="sub">{{ row.hint }}</td></tr></tbody></table>
      <details v-if="raw.length"><summary>全部原始数据（{{ raw.length }}项，供技术人员核对）</summary>
        <table class="measure raw"><tbody><tr v-for="[name, value] in raw" :key="name"><th scope="row">{{ name }}</th><td>{{ value }}</td></tr></tbody></table></details>
    </div>`,
};
