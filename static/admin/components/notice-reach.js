// What became of a published notice: who was sent what, who opened it, who has not, by community.

import * as api from "../api.js";
import LoadState from "./load-state.js";
import YIcon from "./icon.js";
import { loader, useNarrow } from "./ui.js";
import { age, CHANNEL, DELIVERY_MEANING, DELIVERY_STATE, DELIVERY_TONE, word } from "../words.js";

const { computed, onMounted, ref } = Vue;
const SIZE = 20;

export default {
  name: "NoticeReach",
  components: { LoadState, YIcon },
  props: { notice: { type: Object, required: true } },
  setup(props) {
    const narrow = useNarrow();
    const place = ref("");
    const page = ref(1);
    const path = `/notices/${props.notice.id}`;
    const { data, loading, error, load } = loader(async () => {
      const [receipts, deliveries] = await Promise.all([api.get(`${path}/receipts`), api.get(`${path}/deliveries`)]);
      return { receipts, deliveries };
    });
    const unread = loader(() => api.list(`${path}/unread`, { division: place.value, page: page.value, page_size: SIZE }));
    const fresh = () => {
      load();
      unread.load();
    };
    onMounted(fresh);
    const show = (division) => {
      [place.value, page.value] = [division, 1];
      unread.load();
    };
    const turn = (to) => {
      page.value = to;
      unread.load();
    };
    const percent = (part, whole) => (whole ? `${Math.round((part / whole) * 100)}%` : "—");
    const cards = computed(() => {
      const { version, people, opened, listened, help } = data.value.receipts;
      return [
        { key: "people", name: "收件人", icon: "people", tone: "brand", value: people, hint: version > 1 ? `第${version}版，收件箱里都有` : "收件箱里都有一份" },
        { key: "opened", name: "已打开", icon: "eye", tone: "calm", value: opened, hint: percent(opened, people) },
        { key: "unread", name: "还没打开", icon: "later", tone: people - opened ? "warn" : "calm", value: people - opened, hint: percent(people - opened, people) },
        { key: "listened", name: "听了朗读", icon: "hand", tone: "calm", value: listened, hint: percent(listened, people) },
        { key: "help", name: "看不懂，请人帮忙", icon: "call", tone: help ? "warn" : "calm", value: help, hint: "已进待办" },
      ];
    });
    /** Each channel with its states in the order of their meanings, and how many went through it. */
    const channels = computed(() =>
      Object.keys(CHANNEL).filter((one) => data.value.deliveries.channels[one]).map((one) => {
        const held = data.value.deliveries.channels[one];
        const states = Object.keys(DELIVERY_STATE).filter((state) => held[state]).map((state) => ({ state, people: held[state], name: DELIVERY_STATE[state], tone: DELIVERY_TONE[state] }));
        return { channel: one, states, total: states.reduce((sum, each) => sum + each.people, 0) };
      }));
    const spoken = (channel) => channel.states.map((one) => `${one.name}${one.people}`).join("，");
    const seen = computed(() => Object.fromEntries([...new Set(channels.value.flatMap((one) => one.states.map((each) => each.state)))].map((state) => [state, DELIVERY_MEANING[state]])));
    const placeName = computed(() => data.value?.receipts.by_community.find((row) => row.division === place.value)?.name || "");
    return { narrow, place, page, data, loading, error, unread, fresh, show, turn, percent, cards, channels, spoken, seen, placeName, age, word, CHANNEL, DELIVERY_STATE, SIZE };
  },
  template: `
    <load-state v-if="error" :error="error" @retry="fresh"/>
    <div v-else v-loading="loading && !data" class="min"><template v-if="data">
      <div class="cards"><div v-for="card in cards" :key="card.key" class="card" :class="card.tone" :data-testid="'reach-' + card.key"><span class="card-name"><y-icon :name="card.icon"/>{{ card.name }}</span><b>{{ card.value.toLocaleString() }}</b><small>{{ card.hint }}</small></div></div>
      <div class="columns two">
        <section class="panel" data-testid="reach-channels"><div class="panel-head"><h2>怎样提醒的</h2><button type="button" class="link-button" @click="fresh"><y-icon name="refresh" size="15"/> 刷新</button></div>
          <p v-if="!channels.length" class="nothing">只进了收件箱，没有另外提醒。</p>
          <div v-for="one in channels" :key="one.channel" class="channel" :data-testid="'channel-' + one.channel"><div class="channel-head"><b>{{ word(CHANNEL, one.channel) }}</b><span class="sub">{{ one.total.toLocaleString() }} 份</span></div>
            <div class="stack" role="img" :aria-label="spoken(one)"><i v-for="state in one.states" :key="state.state" :class="state.tone" :style="{ width: (state.people / one.total) * 100 + '%' }"></i></div>
            <ul class="legend"><li v-for="state in one.states" :key="state.state"><i :class="state.tone"></i>{{ state.name }} <b>{{ state.people.toLocaleString() }}</b></li></ul></div>
          <p v-if="data.deliveries.lost_answers" class="note warn" data-testid="lost-answers">有 {{ data.deliveries.lost_answers }} 次平台没有回音：可能已经发出，系统又试了一次，个别人可能收到两条一样的。</p>
          <p v-else class="hint" data-testid="lost-answers">平台没有回音：0 次</p>
          <details v-if="channels.length"><summary>这些说法是什么意思</summary><dl class="meanings"><div v-for="(meaning, state) in seen" :key="state"><dt>{{ DELIVERY_STATE[state] }}</dt><dd>{{ meaning }}</dd></div></dl></details></section>
        <section class="panel" data-testid="reach-communities"><h2>各社区</h2>
          <load-state v-if="!data.receipts.by_community.length" empty="还没有送到任何人。" icon="later"/>
          <table v-else class="measure"><thead><tr><th scope="col">社区</th><th scope="col">收件人</th><th scope="col" style="width: 34%">已打开</th><th v-if="!narrow" scope="col">听了</th><th v-if="!narrow" scope="col">请帮忙</th><th scope="col">没打开</th></tr></thead>
            <tbody><tr v-for="row in data.receipts.by_community" :key="row.division"><th scope="row">{{ row.name }}</th><td>{{ row.people }}</td><td><div class="bar" aria-hidden="true"><i :style="{ width: (row.opened / row.people) * 100 + '%' }"></i></div>{{ row.opened }}（{{ percent(row.opened, row.people) }}）</td><td v-if="!narrow">{{ row.listened }}</td><td v-if="!narrow">{{ row.help }}</td>
              <td><button type="button" class="link-button" :aria-label="row.name + '没打开的' + (row.people - row.opened) + '人'" @click="show(row.division)">{{ row.people - row.opened }}</button></td></tr></tbody></table></section>
      </div>
      <section class="panel" data-testid="unread-people"><div class="panel-head"><h2>还没打开的人<template v-if="placeName">：{{ placeName }}</template></h2><button v-if="place" type="button" class="link-button" @click="show('')">看全部社区</button></div>
        <p v-if="data.receipts.late" class="note warn" data-testid="unread-late">发布已经 {{ data.receipts.unread_for_days }} 天，这些人还没打开。请打电话或上门告知。</p>
        <load-state v-if="unread.error.value" :error="unread.error.value" @retry="unread.load"/>
        <template v-else-if="unread.data.value"><p v-if="!unread.data.value.total" class="nothing">都打开了。</p>
          <ul v-else class="lines"><li v-for="row in unread.data.value.rows" :key="row.id"><router-link :to="'/people/' + row.id"><b>{{ row.name }}</b></router-link><span class="what">{{ age(row.birth) }}岁，{{ row.division_name }}</span><span class="when mono">{{ row.phone || '没有电话' }}</span></li></ul>
          <el-pagination v-if="unread.data.value.total > SIZE" class="pager" :total="unread.data.value.total" :page-size="SIZE" :current-page="page" :layout="narrow ? 'prev, pager, next' : 'total, prev, pager, next'" :pager-count="narrow ? 5 : 7" @current-change="turn"/></template></section>
    </template></div>`,
};
