// Home: where the certification stands in one sentence, one big button, and the way to everything else.

import NoticeCard from "../components/notice_card.js";
import WechatReminders from "../components/wechat_reminders.js";
import { FACE_LOCKED, status } from "../certifying.js";
import { unread } from "../inbox.js";
import { notices } from "../library.js";
import { useLoad } from "../loading.js";
import { retiree, state } from "../store.js";
import { day, daysUntil } from "../words.js";

const { computed } = Vue;

const HELP_NAMES = { window: "到窗口办理", home_visit: "请人上门", video: "视频办理" };
const CERTIFY = { to: "/certify", words: "开始认证", icon: "camera" };

/** What the card says: a tone, a headline, a sentence, and the one thing to do. */
function card(held) {
  const until = day(held.due_on);
  const left = daysUntil(held.due_on);
  if (held.state === "ended") {
    return { tone: "warn", icon: "phone", head: "请给社区打电话", text: "系统里的登记需要核对，请给社区打个电话。", act: null };
  }
  if (held.state === "checking") {
    return {
      tone: "info",
      icon: "clock",
      head: "正在核对",
      text: "照片已经收到，不用再照。有结果会通知您。",
      act: held.open_session && { to: `/certify/result/${held.open_session}`, words: "看看进展", icon: "clock" },
    };
  }
  if (held.face_locked) {
    const act = { to: "/help", words: "选择人工办理", icon: "people" };
    return { tone: "warn", icon: "people", head: "请工作人员看一看", text: FACE_LOCKED, act };
  }
  if (held.wants_a_person) {
    const act = { to: "/help", words: "选择人工办理", icon: "people" };
    return { tone: "warn", icon: "people", head: "请人工帮忙办理", text: "今天人脸没有认出来，别着急，请选一种人工办理方式，不影响您领养老金。", act };
  }
  if (held.state === "suspended") {
    return { tone: "alert", icon: "alert", head: "养老金已暂停发放", text: "请尽快认证。认证通过后恢复发放，停发的月份会补上。", act: CERTIFY };
  }
  if (held.state === "overdue") {
    return {
      tone: "alert",
      icon: "alert",
      head: "认证已过期",
      text: `${until}已经到期。请尽快认证，养老金不会当天停发；有困难可以选人工办理。`,
      act: CERTIFY,
    };
  }
  if (held.state === "due_soon") {
    const [head, text] = left ? [`还有${left}天到期`, `请在${until}前认证一次。`] : ["今天到期", "请在今天认证一次，不着急，几分钟就好。"];
    return { tone: "warn", icon: "clock", head, text, act: CERTIFY };
  }
  return { tone: "good", icon: "check", head: "认证有效", text: `下次请在${until}前认证。现在不用办，想提前办也可以。`, act: CERTIFY };
}

/** What the office has put on the first page: {emergencies, pinned}. */
async function pinned() {
  const { rows } = await notices({});
  const emergency = (notice) => notice.importance === "emergency";
  return { emergencies: rows.filter(emergency), pinned: rows.filter((notice) => notice.pinned && !emergency(notice)) };
}

export default {
  components: { NoticeCard, WechatReminders },
  setup() {
    const load = useLoad(async () => {
      // the pension comes first: where only the news does not come, the page stands without it
      const news = [unread().catch(() => ({ unread: 0, important: 0 })), pinned().catch(() => ({ emergencies: [], pinned: [] }))];
      const [held, inbox, board] = await Promise.all([status(), ...news]);
      return { held, inbox, board };
    });
    const shown = computed(() => card(load.data.held));
    return { HELP_NAMES, load, retiree, shown, state };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="unseen" tabindex="-1">首页</h1>
      <load-state :load="load">
        <ul v-if="load.data.board.emergencies.length" class="cards" data-testid="emergencies">
          <li v-for="notice in load.data.board.emergencies" :key="notice.id"><notice-card :notice="notice"/></li>
        </ul>
        <div class="card status" :class="'status-' + shown.tone" data-testid="certification" :data-state="load.data.held.state">
          <p class="soft">养老金领取资格认证</p>
          <h2 class="status-head"><app-icon :name="shown.icon"/><span>{{ shown.head }}</span></h2>
          <p class="status-text" data-testid="certification-text">{{ shown.text }}</p>
          <router-link v-if="shown.act" :to="shown.act.to" class="weui-btn btn-big" :class="shown.tone === 'good' ? 'btn-even' : 'weui-btn_primary'" data-testid="start">
            <app-icon :name="shown.act.icon"/>{{ shown.act.words }}
          </router-link>
          <a v-else-if="state.config.phone" :href="'tel:' + state.config.phone" class="weui-btn weui-btn_primary btn-big">
            <app-icon name="phone"/>打电话
          </a>
        </div>
        <div v-if="load.data.held.help" class="bar" data-testid="help-open">
          <p><b>您申请了{{ HELP_NAMES[load.data.held.help.method] }}。</b>{{ load.data.held.help.message.replace("已经登记。", "") }}</p>
        </div>
        <router-link v-if="load.data.inbox.important" to="/messages" class="card card-link card-important" data-testid="important">
          <app-icon name="bell"/>
          <span class="card-words"><b class="large">有{{ load.data.inbox.important }}条重要消息没看</b><span>点一下就能看</span></span>
          <app-icon name="next"/>
        </router-link>
        <nav class="tiles" aria-label="办事">
          <router-link to="/messages" class="tile" data-testid="to-messages"><app-icon name="bell"/>
            <span>我的消息<b v-if="load.data.inbox.unread" class="badge" data-testid="unread">{{ load.data.inbox.unread }}<span class="unseen">条没看</span></b></span>
          </router-link>
          <router-link to="/library" class="tile" data-testid="to-library"><app-icon name="search"/>政策和通知</router-link>
          <router-link to="/certificates" class="tile" data-testid="to-certificates"><app-icon name="list"/>认证记录</router-link>
          <router-link to="/help" class="tile" data-testid="to-help"><app-icon name="people"/>人工办理</router-link>
          <router-link to="/mine" class="tile" data-testid="to-mine"><app-icon name="person"/>我的</router-link>
        </nav>
        <template v-if="load.data.board.pinned.length">
          <h2>社区提醒您</h2>
          <ul class="cards" data-testid="pinned">
            <li v-for="notice in load.data.board.pinned" :key="notice.id"><notice-card :notice="notice"/></li>
          </ul>
        </template>
        <wechat-reminders moment="home"/>
      </load-state>
    </section>
  `,
};
