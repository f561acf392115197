// One message: its words for the inbox, WeChat and SMS, its versions, and how it reads with a real person's data.

import * as api from "../api.js";
import { isOffice } from "../session.js";
import LoadState from "../components/load-state.js";
import PersonPicker from "../components/person-picker.js";
import StateTag from "../components/state-tag.js";
import YIcon from "../components/icon.js";
import { done, loader, say, sure } from "../components/ui.js";
import { minute, WECHAT_FIELD } from "../words.js";

const { computed, nextTick, onBeforeUnmount, onMounted, reactive, ref, watch } = Vue;
const AFTER = 400;
// What may stand in any message; the rest is said by the server, message by message
const EVERYBODY = [{ name: "name", words: "姓名" }, { name: "community", words: "社区" }, { name: "service", words: "服务名称" }, { name: "service_phone", words: "服务电话" }];
const EMPTY = { title: "", body: "", link: "", wechat: false, template_id: "", fields: [], sms_on: false, sms: "" };
const kindOf = (name) => /^([a-z_]+?)\d{1,3}$/.exec(name)?.[1];

export default {
  components: { LoadState, PersonPicker, StateTag, YIcon },
  setup() {
    const route = VueRouter.useRoute();
    const router = VueRouter.useRouter();
    const key = computed(() => (route.params.key === "new" ? "" : route.params.key));
    const naming = reactive({ key: "", words: "" });
    const form = reactive(structuredClone(EMPTY));
    const from = ref(null); // the version that the form began with
    const errors = ref({});
    const busy = ref(false);
    const person = ref("");
    const shown = ref(null);
    const wrong = ref("");
    const { data, loading, error, load } = loader(() => (key.value ? api.get(`/message-templates/${key.value}`) : { inbox: true, placeholders: EVERYBODY, versions: [], words: "" }));

    const content = () => ({
      title: form.title.trim(), body: form.body.trim(), link: form.link.trim(),
      channels: { wechat: form.wechat ? { template_id: form.template_id.trim(), fields: form.fields.map(({ name, value }) => ({ name: name.trim(), value: value.trim() })) } : null, sms: form.sms_on ? form.sms.trim() : null },
    });
    function take(version) {
      const { wechat, sms } = version.channels;
      Object.assign(form, { title: version.title, body: version.body, link: version.link, wechat: Boolean(wechat), template_id: wechat?.template_id || "", fields: structuredClone(Vue.toRaw(wechat?.fields) || []), sms_on: sms !== null, sms: sms || "" });
      from.value = JSON.stringify(content());
      errors.value = {};
    }
    const changed = computed(() => from.value !== JSON.stringify(content()));
    const active = computed(() => data.value?.versions.find((one) => one.state === "active"));
    async function open() {
      Object.assign(form, structuredClone(EMPTY));
      Object.assign(naming, { key: "", words: "" });
      from.value = JSON.stringify(content());
      await load();
      if (data.value?.versions.length) take(active.value || data.value.versions[0]);
      preview();
    }
    let latest = 0;
    let timer = 0;
    async function preview() {
      if (!key.value) return;
      const mine = ++latest;
      try {
        const found = await api.post(`/message-templates/${key.value}/preview`, { retiree_id: person.value || null, draft: content() });
        if (mine === latest) [shown.value, wrong.value] = [found, ""];
      } catch (problem) {
        if (mine === latest) [shown.value, wrong.value] = [null, Object.values(problem.fields || {})[0] || problem.message];
      }
    }
    watch([() => JSON.stringify(content()), person], () => {
      clearTimeout(timer);
      timer = setTimeout(preview, AFTER);
    });
    async function save() {
      busy.value = true;
      errors.value = {};
      try {
        const made = key.value ? await api.post(`/message-templates/${key.value}/versions`, content()) : await api.post("/message-templates", { ...content(), key: naming.key.trim(), words: naming.words.trim() });
        done(`已存为第${made.version}版草稿，启用后才会发出去。`);
        from.value = JSON.stringify(content());
        if (key.value) await load();
        else router.replace(`/message-templates/${naming.key.trim()}`);
      } catch (problem) {
        errors.value = problem.fields || {};
        say(problem);
        nextTick(() => document.querySelector(".is-error")?.scrollIntoView({ block: "center" }));
      } finally {
        busy.value = false;
      }
    }
    async function activate(version) {
      const text = version.version ? `以后都用第${version.version}版。已经发出的消息不变。` : "以后都用系统自带的说法。已经发出的消息不变。";
      if (!(await sure(text, "启用这一版", "启用"))) return;
      try {
        await api.post(`/message-templates/${key.value}/versions/${version.version}/activation`);
        done("已启用。");
        await load();
      } catch (problem) {
        say(problem);
      }
    }
    async function reuse(version) {
      if (changed.value && !(await sure("左边的改动还没有保存，要放弃吗？", "放弃修改", "放弃"))) return;
      take(version);
      scrollTo({ top: 0, behavior: "smooth" });
    }
    // a gap goes where the cursor was last
    let place = { name: "body", at: null };
    const remember = (name, event) => (place = { name, at: event.target.selectionStart });
    function fill(gap) {
      const [holder, name] = typeof place.name === "number" ? [form.fields[place.name], "value"] : [form, place.name];
      if (!holder) return;
      const at = place.at ?? holder[name].length;
      holder[name] = `${holder[name].slice(0, at)}{${gap.name}}${holder[name].slice(at)}`;
      place.at = at + gap.name.length + 2;
    }
    const limit = (name) => WECHAT_FIELD[kindOf(name)] || "";
    VueRouter.onBeforeRouteLeave(async () => !changed.value || sure("改动还没有保存，要放弃吗？", "放弃修改", "放弃"));
    onMounted(open);
    watch(key, () => route.path.startsWith("/message-templates/") && open());
    onBeforeUnmount(() => clearTimeout(timer));
    return { key, naming, form, errors, busy, person, shown, wrong, data, loading, error, load, open, changed, save, activate, reuse, remember, fill, limit, isOffice, minute, WECHAT_FIELD };
  },
  template: `
    <div class="page" v-loading="loading">
      <router-link to="/message-templates" class="link-button back"><y-icon name="left" size="16"/> 消息模板</router-link>
      <load-state v-if="error" :error="error" @retry="open"/>
      <template v-else-if="data">
        <div class="page-head"><div><h1>{{ key ? data.words : '新模板' }}</h1><p class="sub">{{ data.built_in ? '系统在办理中自动发送。' : '由工作人员选用。' }}改好后存为新的一版，再启用。</p></div></div>
        <div class="beside"><el-form label-position="top" @submit.prevent="save">
          <section class="panel"><h2>说什么</h2>
            <div v-if="!key" class="fields-grid"><el-form-item label="名称" :error="errors.words" required><el-input v-model="naming.words" maxlength="40" aria-label="名称" placeholder="如 高龄津贴提醒" data-testid="template-words"/></el-form-item>
              <el-form-item label="编号" :error="errors.key" required><el-input v-model="naming.key" maxlength="40" aria-label="编号" placeholder="小写字母、数字、下划线" data-testid="template-key"/></el-form-item></div>
            <p class="label">可以填入（点一下加到光标处）</p><div class="chips"><button v-for="gap in data.placeholders" :key="gap.name" type="button" class="gap" @mousedown.prevent @click="fill(gap)" :title="gap.example">{{ '{' + gap.name + '}' }} {{ gap.words }}</button></div>
            <template v-if="data.inbox">
              <el-form-item label="标题" :error="errors.title" required><el-input v-model="form.title" maxlength="60" show-word-limit aria-label="标题" @blur="remember('title', $event)" data-testid="template-title"/></el-form-item>
              <el-form-item label="正文" :error="errors.body" required><el-input v-model="form.body" type="textarea" :autosize="{ minRows: 3, maxRows: 12 }" maxlength="2000" show-word-limit aria-label="正文" @blur="remember('body', $event)" data-testid="template-body"/></el-form-item>
              <el-form-item label="点开后去的页面" :error="errors.link"><el-input v-model="form.link" maxlength="100" aria-label="点开后去的页面" placeholder="如 /certify，没有就不填" @blur="remember('link', $event)"/></el-form-item></template>
            <p v-else class="note calm">这条消息只用短信发。</p></section>
          <section v-if="data.inbox" class="panel"><div class="panel-head"><h2>微信订阅消息</h2><el-switch v-model="form.wechat" aria-label="用微信发" data-testid="template-wechat"/></div>
            <p v-if="errors['channels/wechat']" class="bad-text" role="alert">{{ errors['channels/wechat'] }}</p>
            <template v-if="form.wechat"><el-form-item label="微信后台的模板编号" :error="errors['channels/wechat/template_id']" required><el-input v-model="form.template_id" maxlength="64" aria-label="模板编号"/></el-form-item>
              <el-form-item label="字段（照微信后台的模板填写）" :error="errors['channels/wechat/fields']">
                <div v-for="(field, place) in form.fields" :key="place" class="wechat-field"><el-input v-model="field.name" maxlength="40" list="wechat-fields" aria-label="字段名" placeholder="如 thing1" class="name"/>
                  <el-input v-model="field.value" :aria-label="(field.name || '字段') + '的内容'" @blur="remember(place, $event)"/>
                  <button type="button" class="link-button" :aria-label="'去掉字段' + field.name" @click="form.fields.splice(place, 1)"><y-icon name="cross" size="16"/></button>
                  <p class="field-hint" :class="{ 'warn-text': errors['channels/wechat/fields/' + place + '/value'] || errors['channels/wechat/fields/' + place + '/name'] }">{{ errors['channels/wechat/fields/' + place + '/value'] || errors['channels/wechat/fields/' + place + '/name'] || limit(field.name) }}</p></div>
                <datalist id="wechat-fields"><option v-for="(limit, kind) in WECHAT_FIELD" :key="kind" :value="kind + '1'">{{ limit }}</option></datalist>
                <button type="button" class="link-button" :disabled="form.fields.length >= 10" @click="form.fields.push({ name: '', value: '' })"><y-icon name="plus" size="15"/> 加字段</button></el-form-item></template>
            <p v-else class="nothing">不用微信发</p></section>
          <section class="panel"><div class="panel-head"><h2>短信</h2><el-switch v-model="form.sms_on" aria-label="用短信发" data-testid="template-sms-on"/></div>
            <el-form-item v-if="form.sms_on" :error="errors['channels/sms']"><el-input v-model="form.sms" type="textarea" :autosize="{ minRows: 2, maxRows: 8 }" maxlength="335" show-word-limit aria-label="短信内容" @blur="remember('sms', $event)" data-testid="template-sms"/><p class="field-hint">签名会自动加在前面。连签名 70 个字以内算一条，更长的分几条计费。</p></el-form-item>
            <p v-else class="nothing">不用短信发</p></section>
          <div class="save-bar"><el-button type="primary" native-type="submit" :loading="busy" :disabled="!changed" data-testid="template-save">存为新的一版</el-button><span class="sub">{{ changed ? '有改动没保存' : '' }}</span></div>
        </el-form>
        <aside>
          <section class="panel" data-testid="template-preview"><h2>发出去的样子</h2>
            <person-picker v-if="isOffice()" v-model="person" label="用谁的资料" data-testid="template-person"/><p class="hint">{{ person ? '姓名、社区和日期用这个人的，其余用例子。' : isOffice() ? '空着就用例子里的人。' : '用的是例子里的人。' }}</p>
            <p v-if="!key" class="nothing">存好以后可以预览。</p>
            <p v-else-if="wrong" class="note warn" role="status">{{ wrong }}</p>
            <template v-else-if="shown"><ul v-if="shown.problems.length" class="note warn" data-testid="template-problems"><li v-for="problem in shown.problems" :key="problem">{{ problem }}</li></ul>
              <div v-if="shown.title" class="wechat-card shown"><h3>收件箱</h3><b data-testid="shown-title">{{ shown.title }}</b><p data-testid="shown-body">{{ shown.body }}</p></div>
              <div v-if="shown.wechat.length" class="wechat-card shown"><h3>微信</h3><dl><div v-for="field in shown.wechat" :key="field.name"><dt>{{ field.name }}</dt><dd>{{ field.value }}</dd></div></dl></div>
              <div v-if="shown.sms" class="wechat-card shown"><h3>短信（{{ shown.sms.length }} 个字）</h3><p>{{ shown.sms }}</p></div></template>
            <p v-else class="nothing" role="status">正在取…</p></section>
          <section v-if="data.versions.length" class="panel"><h2>版本</h2><ul class="versions" data-testid="template-versions"><li v-for="version in data.versions" :key="version.version"><b>{{ version.version ? '第' + version.version + '版' : '系统自带' }}</b><state-tag kind="template" :state="version.state" size="small"/><small class="sub">{{ minute(version.activated_at || version.created_at) }}</small><span class="grow"></span>
            <button type="button" class="link-button" @click="reuse(version)">照它改</button><button v-if="version.state !== 'active'" type="button" class="link-button" @click="activate(version)" :data-testid="'activate-' + version.version">启用</button></li></ul></section>
        </aside></div>
      </template>
    </div>`,
};
