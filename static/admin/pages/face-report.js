// The monthly report on faces: the machine compared with people, by community, age and phone.

import * as api from "../api.js";
import { isOffice } from "../session.js";
import LoadState from "../components/load-state.js";
import PlacePicker from "../components/place-picker.js";
import YIcon from "../components/icon.js";
import { loader, say, useNarrow } from "../components/ui.js";
import { second, today } from "../words.js";

const { computed, onMounted, ref, watch } = Vue;

const TABLES = [
  { key: "communities", title: "按社区" },
  { key: "ages", title: "按年龄" },
  { key: "phones", title: "按手机" },
];
const PARTS = [
  { key: "passed", name: "自动通过", tone: "success" },
  { key: "reviewed", name: "转人工审核", tone: "warning" },
  { key: "failed", name: "自动不通过", tone: "danger" },
];
const MEANINGS = [
  ["次数", "机器在这个月里判断了几次：自动通过、转人工审核或自动不通过。照片没传好、撤回同意的不算。"],
  ["不必审核", "机器拿不准，人看了是本人的。太多，说明机器太谨慎，大家白等。"],
  ["错拒", "机器说不通过，本人请人看，人看了是本人的。"],
  ["错放", "机器通过了，抽查的人看了不是本人的。一次都不该有。"],
  ["错放率上限", "抽查只看一小部分，所以真实的错放率可能比看到的高；有95%的把握不高于这个数。抽查得越多，这个数越准。看不清和没来得及看的不算在内。"],
  ["其他", "不到5个人的社区、年龄段和手机合在一起，免得认出是谁；浏览器没有说明型号的手机也在里面。"],
];

export default {
  components: { LoadState, PlacePicker, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const narrow = useNarrow();
    const saving = ref(false);
    const now = today().slice(0, 7);
    const ask = (change) => router.push({ query: Object.fromEntries(Object.entries({ ...route.query, ...change }).filter(([, value]) => value)) });
    const month = computed({
      get: () => (/^20\d{2}-(0[1-9]|1[0-2])$/.test(route.query.month || "") ? route.query.month : now),
      set: (value) => ask({ month: value === now ? "" : value }),
    });
    const place = computed({
      get: () => (/^\d{4,12}$/.test(route.query.division || "") ? route.query.division : ""),
      set: (value) => ask({ division: value }),
    });
    const query = computed(() => ({ month: month.value, division: place.value }));
    const { data, loading, error, load } = loader(() => api.get("/reports/faces", query.value));
    onMounted(load);
    watch(query, () => route.path === "/face-report" && load());
    const future = (date) => date.getTime() > Date.parse(`${today()}T23:59:59+08:00`);
    async function save() {
      saving.value = true;
      try {
        const { month: of, division } = query.value;
        await api.download(`/reports/faces.xlsx?month=${of}&division=${division}`, `人脸认证月报${of}.xlsx`);
      } catch (problem) {
        say(problem);
      } finally {
        saving.value = false;
      }
    }
    const percent = (share) => (share === null ? "—" : `${Number((share * 100).toFixed(share < 0.01 ? 2 : 1))}%`);
    const totals = computed(() => data.value.totals);
    const cards = computed(() => [
      { key: "attempts", name: "认证次数", icon: "people", tone: "brand", value: totals.value.attempts.toLocaleString(), hint: `${totals.value.people.toLocaleString()} 人` },
      { key: "pass", name: "自动通过率", icon: "check", tone: "calm", value: percent(totals.value.pass_share), hint: `${totals.value.passed.toLocaleString()} 次` },
      { key: "needless", name: "不必审核", icon: "review", tone: "warn", value: percent(totals.value.needless_share), hint: `审核了 ${totals.value.approved + totals.value.refused} 次，${totals.value.approved} 次是本人` },
      { key: "overturned", name: "错拒", icon: "cross", tone: "warn", value: totals.value.overturned, hint: `本人请人看了 ${totals.value.overturned + totals.value.upheld} 次` },
      { key: "wrong", name: "错放", icon: "warn", tone: totals.value.different ? "bad" : "calm", value: totals.value.different, hint: totals.value.looked ? `抽查看清 ${totals.value.looked} 次，错放率不高于 ${percent(totals.value.wrong_pass_at_most)}` : "这个月还没有抽查结果" },
    ]);
    const width = (row, key) => ({ width: row.attempts ? `${(row[key] / row.attempts) * 100}%` : "0" });
    const spoken = (row) => PARTS.map((part) => `${part.name}${row[part.key]}次`).join("，");
    return { narrow, saving, month, place, data, loading, error, load, future, save, percent, cards, width, spoken, isOffice, second, TABLES, PARTS, MEANINGS };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>人脸认证月报</h1><p class="sub">机器判断得准不准，和人的判断比一比。<template v-if="data">{{ data.division_name }}，{{ data.prepared_at ? '已于 ' + second(data.prepared_at) + ' 存档，不再变动' : '本月到现在为止，或还没有存档' }}。</template></p></div>
        <el-button @click="save" :loading="saving" :disabled="!data" data-testid="report-save"><y-icon name="download" size="16"/>&nbsp;下载表格</el-button></div>
      <div class="filters panel"><span class="f" data-testid="report-month"><el-date-picker v-model="month" type="month" value-format="YYYY-MM" format="YYYY年M月" :clearable="false" :disabled-date="future" aria-label="月份" style="width: 100%"/></span>
        <place-picker v-if="isOffice()" v-model="place" class="f-place" data-testid="report-place"/></div>
      <load-state v-if="error" :error="error" @retry="load"/>
      <div v-else v-loading="loading" class="min"><template v-if="data">
        <div class="cards"><div v-for="card in cards" :key="card.key" class="card" :class="card.tone" :data-testid="'report-' + card.key">
          <span class="card-name"><y-icon :name="card.icon"/>{{ card.name }}</span><b>{{ card.value }}</b><small>{{ card.hint }}</small></div></div>
        <section v-for="table in TABLES" :key="table.key" class="panel" :data-testid="'report-' + table.key">
          <div class="panel-head"><h2>{{ table.title }}</h2><ul class="legend"><li v-for="part in PARTS" :key="part.key"><i :class="part.tone"></i>{{ part.name }}</li></ul></div>
          <load-state v-if="!data[table.key].length" empty="这个月没有人脸认证。" icon="later"/>
          <ul v-else-if="narrow"><li v-for="row in data[table.key]" :key="row.group" class="note calm"><b>{{ row.name }}</b> {{ row.people }} 人，{{ row.attempts }} 次
            <div class="stack" role="img" :aria-label="spoken(row)"><i v-for="part in PARTS" :key="part.key" :class="part.tone" :style="width(row, part.key)"></i></div>
            <small>通过 {{ percent(row.pass_share) }}，转人工 {{ percent(row.review_share) }}，不通过 {{ percent(row.fail_share) }}；不必审核 {{ row.approved }}，错拒 {{ row.overturned }}，错放 {{ row.different }} / 抽查 {{ row.looked }}</small></li></ul>
          <table v-else class="measure"><thead><tr><th>{{ table.title.slice(1) }}</th><th>人数</th><th>次数</th><th style="width: 24%">机器的判断</th><th>通过</th><th>转人工</th><th>不通过</th><th>不必审核</th><th>错拒</th><th>错放 / 抽查</th><th>错放率上限</th></tr></thead>
            <tbody><tr v-for="row in data[table.key]" :key="row.group"><th scope="row">{{ row.name }}</th><td>{{ row.people }}</td><td>{{ row.attempts }}</td>
              <td><div class="stack" role="img" :aria-label="spoken(row)"><i v-for="part in PARTS" :key="part.key" :class="part.tone" :style="width(row, part.key)"></i></div></td>
              <td>{{ percent(row.pass_share) }}</td><td>{{ percent(row.review_share) }}</td><td>{{ percent(row.fail_share) }}</td><td>{{ row.approved }}（{{ percent(row.needless_share) }}）</td><td>{{ row.overturned }}</td>
              <td><b :class="{ 'bad-text': row.different }">{{ row.different }}</b> / {{ row.looked }}</td><td>{{ percent(row.wrong_pass_at_most) }}</td></tr></tbody></table>
        </section>
        <section class="panel"><h2>这些数是什么意思</h2><dl class="facts one"><div v-for="[name, meaning] in MEANINGS" :key="name"><dt>{{ name }}</dt><dd>{{ meaning }}</dd></div></dl>
          <p class="hint" style="overflow-wrap: anywhere">判断标准：{{ data.policies.join('、') || '—' }}；识别模型：{{ data.models.join('、') || '—' }}；评测：{{ data.evaluations.join('、') || '—' }}。抽查比例和期限：<template v-for="(rule, number) in data.rules" :key="rule.key + rule.division">{{ number ? '；' : '' }}{{ rule.key === 'second_look_days' ? '最多留 ' + rule.value + ' 天' : '每千次 ' + rule.value + ' 次' }}{{ rule.division ? '（' + rule.division + '）' : '' }}</template>。</p></section>
      </template></div>
    </div>`,
};
