// How the house may reach the person: a tap changes it at once, and the page says that it is noted.

import * as api from "../api.js";
import WechatReminders from "../components/wechat_reminders.js";
import { useLoad } from "../loading.js";
import { announce, retiree } from "../store.js";

const { ref } = Vue;

/** `hint` says what it is, `nowhere` why it leads nowhere yet and what to do. */
const CHANNELS = {
  wechat: { icon: "chat", words: "微信提醒", hint: "收到哪几条，由您在微信里同意", nowhere: "先用微信登录一次，才收得到" },
  sms: { icon: "letter", words: "手机短信", hint: "发到登记的手机号", nowhere: "还没有登记手机号，请告诉社区" },
  call: { icon: "phone", words: "打电话", hint: "重要的事，工作人员打电话给您", nowhere: "还没有登记电话，请告诉社区" },
  paper: { icon: "list", words: "纸质通知", hint: "重要的事，印在纸上送到家里", nowhere: "还没有登记住址，请告诉社区" },
};

export default {
  components: { WechatReminders },
  setup() {
    const address = `/retirees/${retiree.value.id}/contact-settings`;
    const load = useLoad(() => api.seen(address));
    const busy = ref(false);
    const saved = ref(false);
    const error = ref("");

    async function change(part, box) {
      busy.value = true;
      saved.value = false;
      error.value = "";
      const { channels, copy_family } = load.data.record;
      try {
        load.data = await api.replace(address, { channels, copy_family, ...part }, load.data.tag);
        saved.value = true;
        announce("已经记下");
      } catch (problem) {
        error.value = problem.message;
        box.checked = !box.checked; // what the boxes show is what the server has
        if (problem.status === 412) await load.again();
      } finally {
        busy.value = false;
      }
    }

    const changeChannel = (name, box) => change({ channels: { ...load.data.record.channels, [name]: box.checked } }, box);
    const changeCopy = (box) => change({ copy_family: box.checked }, box);
    return { CHANNELS, busy, changeChannel, changeCopy, error, load, saved };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">怎么通知我</h1>
      <p>所有消息都会放在“我的消息”里。要不要再用别的办法告诉您，在这里勾选。</p>
      <load-state :load="load">
        <fieldset class="choices">
          <legend>也这样通知我</legend>
          <label v-for="(channel, name) in CHANNELS" :key="name" class="choice" :class="{ chosen: load.data.record.channels[name] }">
            <input type="checkbox" :checked="load.data.record.channels[name]" :disabled="busy" :data-testid="'channel-' + name"
              @change="changeChannel(name, $event.target)">
            <app-icon :name="channel.icon"/>
            <span class="choice-words"><b>{{ channel.words }}</b><span>{{ load.data.record.reach[name] ? channel.hint : channel.nowhere }}</span></span>
          </label>
        </fieldset>
        <fieldset class="choices">
          <legend>也告诉家人</legend>
          <label class="choice" :class="{ chosen: load.data.record.copy_family }">
            <input type="checkbox" :checked="load.data.record.copy_family" :disabled="busy" data-testid="copy-family"
              @change="changeCopy($event.target)">
            <app-icon name="people"/>
            <span class="choice-words"><b>同样发给家人</b><span>只发给已经绑定的家人</span></span>
          </label>
        </fieldset>
        <p v-if="error" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
        <p v-if="saved" class="bar" role="status" data-testid="saved">已经记下，以后就这样通知您。</p>
        <p class="hint">夜里不打扰您。紧急的事除外，那时会用所有办法通知您。</p>
        <wechat-reminders moment="home"/>
      </load-state>
    </section>
  `,
};
