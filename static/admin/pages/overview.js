// The first page of the office: what waits, each number leading to its list.

import * as api from "../api.js";
import { refreshWaiting, session } from "../session.js";
import LoadState from "../components/load-state.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { loader } from "../components/ui.js";
import { age, CERTIFICATION, CERTIFICATION_TONE, FOLLOW_UP, HELP_METHOD, REASON, today, waited, word } from "../words.js";

const { computed, onMounted } = Vue;
const SHOWN = 5;
const WEEKDAYS = "日一二三四五六";

export default {
  components: { LoadState, StateTag, YIcon },
  setup() {
    const { data, loading, error, load } = loader(async () => {
      const [overview, reviews, followUps, overdue] = await Promise.all([
        api.get("/overview"),
        api.list("/certification-reviews", { page_size: SHOWN }),
        api.list("/follow-ups", { page_size: SHOWN }),
        api.list("/retirees", { certification: "overdue", page_size: SHOWN }),
      ]);
      return { overview, reviews: reviews.rows, followUps: followUps.rows, overdue: overdue.rows };
    });
    onMounted(() => {
      load();
      refreshWaiting();
    });
    const counts = computed(() => data.value.overview.certification);
    const cards = computed(() => [
      { key: "overdue", name: "逾期", hint: "已过期还没有认证", value: counts.value.overdue, tone: "bad", icon: "warn", to: "/people?certification=overdue" },
      { key: "due_soon", name: "临期", hint: "90天内到期", value: counts.value.due_soon, tone: "warn", icon: "later", to: "/people?certification=due_soon" },
      { key: "reviews", name: "待审核", hint: "机器拿不准，等人看", value: data.value.overview.reviews, tone: "brand", icon: "review", to: "/reviews" },
      { key: "follow_ups", name: "待办", hint: "等人联系、核实", value: data.value.overview.follow_ups, tone: "brand", icon: "todo", to: "/follow-ups" },
      { key: "checking", name: "核对中", hint: "还没有结果，含待审核的", value: counts.value.checking, tone: "calm", icon: "refresh", to: "/people?certification=checking" },
    ]);
    const living = computed(() => Object.entries(counts.value).reduce((sum, [state, count]) => sum + (state === "ended" ? 0 : count), 0));
    const bars = computed(() => ["valid", "due_soon", "checking", "overdue", "suspended"].map((state) => ({
      state, name: CERTIFICATION[state], tone: CERTIFICATION_TONE[state], count: counts.value[state],
      share: living.value ? (counts.value[state] / living.value) * 100 : 0,
    })));
    const day = today();
    const date = `${Number(day.slice(0, 4))}年${Number(day.slice(5, 7))}月${Number(day.slice(8))}日 星期${WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()]}`;
    return { data, loading, error, load, counts, cards, bars, living, date, session, age, waited, word, FOLLOW_UP, REASON, HELP_METHOD };
  },
  template: `
    <div class="page" v-loading="loading && !data">
      <div class="page-head"><div><h1>工作台</h1><p class="sub">{{ session.area }} · {{ date }}</p></div>
        <el-button @click="load" :loading="loading" data-testid="reload"><y-icon name="refresh" size="16"/>&nbsp;刷新</el-button></div>
      <load-state v-if="error" :error="error" @retry="load"/>
      <template v-else-if="data">
        <p v-if="data.overview.failed_events" class="note bad" role="alert" data-testid="failed-events">
          有 {{ data.overview.failed_events }} 项后台任务没有办成，请通知系统管理员处理。</p>
        <p v-if="data.overview.faces.must_file" class="note bad" role="alert" data-testid="faces-filing">
          已保存 {{ data.overview.faces.count.toLocaleString() }} 人的人脸信息，达到10万人：请在30个工作日内向省级网信部门备案。</p>
        <p v-else-if="data.overview.faces.warning" class="note warn" role="status" data-testid="faces-warning">
          已保存 {{ data.overview.faces.count.toLocaleString() }} 人的人脸信息，接近10万人的备案线，请提前准备备案材料。</p>
        <p v-if="data.overview.face_alarms.open" class="note" :class="data.overview.face_alarms.late ? 'bad' : 'warn'" role="status" data-testid="alarms-open">
          有 {{ data.overview.face_alarms.open }} 项人脸认证的异常提醒等您核实<template v-if="data.overview.face_alarms.late">，其中 {{ data.overview.face_alarms.late }} 项等得太久</template>。<router-link to="/alarms">去看看</router-link></p>
        <div class="cards">
          <router-link v-for="card in cards" :key="card.key" :to="card.to" class="card" :class="[card.tone, { zero: !card.value }]" :data-testid="'card-' + card.key">
            <span class="card-name"><y-icon :name="card.icon"/>{{ card.name }}</span>
            <b>{{ card.value.toLocaleString() }}</b><small>{{ card.hint }}</small>
          </router-link>
        </div>
        <section class="panel">
          <div class="panel-head"><h2>认证情况</h2><span class="sub">在册 {{ living.toLocaleString() }} 人；已存人脸 <b data-testid="faces-count">{{ data.overview.faces.count.toLocaleString() }}</b> 人（全市）</span></div>
          <div class="stack" role="img" :aria-label="bars.map((bar) => bar.name + bar.count + '人').join('，')">
            <i v-for="bar in bars" :key="bar.state" :class="bar.tone" :style="{ width: bar.share + '%' }"></i></div>
          <ul class="legend">
            <li v-for="bar in bars" :key="bar.state"><router-link :to="'/people?certification=' + bar.state"><i :class="bar.tone"></i>{{ bar.name }} <b>{{ bar.count.toLocaleString() }}</b></router-link></li>
            <li><router-link to="/people?certification=ended"><i class="info"></i>已终止 <b>{{ counts.ended.toLocaleString() }}</b></router-link></li>
          </ul>
        </section>
        <div class="columns three">
          <section class="panel">
            <div class="panel-head"><h2>等得最久的审核</h2><router-link to="/reviews">全部</router-link></div>
            <ul class="lines" v-if="data.reviews.length">
              <li v-for="row in data.reviews" :key="row.id"><router-link :to="'/reviews/' + row.id"><b>{{ row.retiree.name }}</b> {{ age(row.retiree.birth) }}岁</router-link>
                <span class="what">{{ row.reasons.map((one) => word(REASON, one)).join('、') }}</span><span class="when">{{ waited(row.created_at) }}</span></li></ul>
            <p v-else class="nothing">没有要审核的。</p>
          </section>
          <section class="panel">
            <div class="panel-head"><h2>等得最久的待办</h2><router-link to="/follow-ups">全部</router-link></div>
            <ul class="lines" v-if="data.followUps.length">
              <li v-for="row in data.followUps" :key="row.id"><router-link :to="'/people/' + row.retiree.id"><b>{{ row.retiree.name }}</b> {{ age(row.retiree.birth) }}岁</router-link>
                <span class="what">{{ row.method ? word(HELP_METHOD, row.method) : word(FOLLOW_UP, row.kind) }}</span><span class="when">{{ waited(row.created_at) }}</span></li></ul>
            <p v-else class="nothing">没有待办。</p>
          </section>
          <section class="panel">
            <div class="panel-head"><h2>逾期未认证</h2><router-link to="/people?certification=overdue">全部</router-link></div>
            <ul class="lines" v-if="data.overdue.length">
              <li v-for="row in data.overdue" :key="row.id"><router-link :to="'/people/' + row.id"><b>{{ row.name }}</b> {{ age(row.birth) }}岁</router-link>
                <span class="what">{{ row.division_name }}</span><span class="when">{{ row.certification.due_on }} 到期</span></li></ul>
            <p v-else class="nothing">没有逾期的人。</p>
          </section>
        </div>
      </template>
    </div>`,
};
