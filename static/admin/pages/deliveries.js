// Who could not be reached by a device: what failed, what waits for a call or a visit, what cannot be sent that way.

import * as api from "../api.js";
import { refreshWaiting } from "../session.js";
import LoadState from "../components/load-state.js";
import PlacePicker from "../components/place-picker.js";
import YIcon from "../components/icon.js";
import { done, loader, numberOf, say, useNarrow } from "../components/ui.js";
import { age, CHANNEL, IMPORTANCE, IMPORTANCE_TONE, minute, today, word } from "../words.js";

const { computed, onMounted, reactive, ref, watch } = Vue;
const LISTS = {
  failed: { name: "发送失败", what: "试了几次都没成功。可以再试，也可以打电话或上门告知后登记。", nothing: "没有发送失败的。" },
  listed: { name: "电话和上门名单", what: "手机送不到的人。打电话或上门告知以后，在这里登记。", nothing: "没有要打电话或上门的。" },
  refused: { name: "送不到", what: "这种方式送不到：没有同意接收、号码不对或已停用。重要通知会自动改用下一种方式。", nothing: "没有送不到的。" },
};
const NOTES = ["已打电话告诉本人", "已打电话告诉家属", "已上门告诉本人", "已在社区当面告诉本人"];

export default {
  components: { LoadState, PlacePicker, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const narrow = useNarrow();
    const ask = (change) => router.push({ query: Object.fromEntries(Object.entries({ ...route.query, page: "", ...change }).filter(([, value]) => value)) });
    const state = computed({ get: () => (LISTS[route.query.state] ? route.query.state : "listed"), set: (value) => ask({ state: value === "listed" ? "" : value }) });
    const channel = computed({ get: () => (CHANNEL[route.query.channel] ? route.query.channel : ""), set: (value) => ask({ channel: value }) });
    const place = computed({ get: () => (/^\d{4,12}$/.test(route.query.division || "") ? route.query.division : ""), set: (value) => ask({ division: value }) });
    const page = computed(() => numberOf(route.query.page, 1));
    const saving = ref(false);
    const telling = reactive({ open: false, row: null, note: "", busy: false });
    const { data, loading, error, load } = loader(() => api.list("/deliveries", { state: state.value, channel: channel.value, division: place.value, page: page.value }));
    const fresh = () => {
      load();
      refreshWaiting();
    };
    onMounted(fresh);
    watch(() => route.fullPath, () => {
      if (route.path !== "/deliveries") return;
      data.value = null;
      load();
    });
    async function retry(row) {
      try {
        await api.post(`/deliveries/${row.id}/retry`);
        done("已重新排队发送。");
      } catch (problem) {
        say(problem);
      }
      fresh();
    }
    const tell = (row) => Object.assign(telling, { open: true, row, note: "", busy: false });
    async function told() {
      telling.busy = true;
      try {
        await api.post(`/deliveries/${telling.row.id}/reached`, { note: telling.note.trim() });
        done("已登记，别的提醒不再发了。");
      } catch (problem) {
        say(problem);
        if (problem.status !== 409 && problem.status !== 404) return;
      } finally {
        telling.busy = false;
      }
      telling.open = false;
      fresh();
    }
    async function save() {
      saving.value = true;
      try {
        await api.download(`/deliveries/door-list.xlsx?division=${place.value}`, `电话和上门名单${today()}.xlsx`);
      } catch (problem) {
        say(problem);
      } finally {
        saving.value = false;
      }
    }
    return { narrow, state, channel, place, page, saving, telling, data, loading, error, load, ask, retry, tell, told, save, age, minute, word, CHANNEL, IMPORTANCE, IMPORTANCE_TONE, LISTS, NOTES };
  },
  template: `
    <div class="page">
      <div class="page-head"><div><h1>未送达</h1><p class="sub">手机没能送到的消息。谁都不能因为不用手机就不知道。</p></div>
        <el-button @click="save" :loading="saving" data-testid="door-list"><y-icon name="download" size="16"/>&nbsp;下载电话和上门名单</el-button></div>
      <el-tabs v-model="state"><el-tab-pane v-for="(list, one) in LISTS" :key="one" :label="list.name" :name="one"/></el-tabs>
      <div class="filters panel"><p class="hint wide">{{ LISTS[state].what }}</p>
        <el-select v-model="channel" clearable placeholder="全部方式" aria-label="方式" class="f" :empty-values="['', null, undefined]" :value-on-clear="''"><el-option v-for="(name, one) in CHANNEL" :key="one" :value="one" :label="name"/></el-select>
        <place-picker v-model="place" class="f-place"/></div>
      <load-state v-if="error" :error="error" @retry="load"/>
      <section v-else class="panel" v-loading="loading && !data"><load-state v-if="data && !data.rows.length" :empty="LISTS[state].nothing" icon="check"/>
        <ul v-else class="unreached min"><li v-for="row in data?.rows || []" :key="row.id" data-testid="delivery" :data-state="row.state">
          <div class="who-what"><router-link :to="'/people/' + row.retiree.id"><b>{{ row.retiree.name }}</b></router-link> <span class="sub">{{ age(row.retiree.birth) }}岁，{{ row.retiree.division_name }}，<span class="mono">{{ row.retiree.phone || '没有电话' }}</span></span>
            <p>{{ row.message.title }} <el-tag v-if="row.message.importance !== 'routine'" size="small" :type="IMPORTANCE_TONE[row.message.importance]" disable-transitions>{{ word(IMPORTANCE, row.message.importance) }}</el-tag></p>
            <small class="sub">{{ word(CHANNEL, row.channel) }}{{ row.copy ? '（抄送家属）' : '' }}<template v-if="row.error">：{{ row.error_words || row.error }}</template><template v-if="row.attempts">，试了 {{ row.attempts }} 次</template><template v-if="row.lost_answers">，其中 {{ row.lost_answers }} 次没有回音</template> · {{ minute(row.created_at) }}</small></div>
          <div class="job-do"><el-button v-if="state !== 'listed'" @click="retry(row)" data-testid="delivery-retry">再发一次</el-button><el-button type="primary" plain @click="tell(row)" data-testid="delivery-reached">登记已告知</el-button></div></li></ul>
        <el-pagination v-if="data && data.total > 20" class="pager" :total="data.total" :page-size="20" :current-page="page" :layout="narrow ? 'prev, pager, next' : 'total, prev, pager, next'" :pager-count="narrow ? 5 : 7" @current-change="(to) => ask({ page: to > 1 ? to : '' })"/></section>
      <el-dialog v-model="telling.open" :title="'登记已告知：' + (telling.row?.retiree.name || '')" width="480" align-center append-to-body>
        <p class="hint">“{{ telling.row?.message.title }}”。登记后，同一件事的其他提醒不再发。</p>
        <div class="chips" role="group" aria-label="常用说明"><button v-for="one in NOTES" :key="one" type="button" class="chip" :class="{ on: telling.note === one }" @click="telling.note = one" data-testid="quick-note">{{ one }}</button></div>
        <el-input v-model="telling.note" type="textarea" :rows="2" maxlength="200" show-word-limit aria-label="怎样告知的" placeholder="怎样告知的（至少2个字）" data-testid="reached-note"/>
        <template #footer><el-button @click="telling.open = false">取消</el-button><el-button type="primary" :loading="telling.busy" :disabled="telling.note.trim().length < 2" @click="told" data-testid="reached-save">登记</el-button></template>
      </el-dialog>
    </div>`,
};
