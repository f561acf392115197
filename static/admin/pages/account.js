// One's own account: the password and the authenticator.

import * as api from "../api.js";
import * as session_ from "../session.js";
import { done, say } from "../components/ui.js";
import { ROLES, word } from "../words.js";

const { reactive, ref } = Vue;
const SHORTEST = 10;

export default {
  setup() {
    const { session } = session_;
    const form = reactive({ old: "", fresh: "", again: "", busy: false });
    const errors = ref({});
    const totp = reactive({ offer: null, code: "", ending: false, password: "", busy: false, wrong: "" });

    async function change() {
      errors.value = {};
      if (!form.old) errors.value.old = "请填写现在的密码。";
      if (form.fresh.length < SHORTEST) errors.value.fresh = `新密码至少${SHORTEST}位。`;
      else if (form.fresh === form.old) errors.value.fresh = "新密码和现在的一样，请换一个。";
      if (form.again !== form.fresh) errors.value.again = "两次写的新密码不一样。";
      if (Object.keys(errors.value).length) return;
      form.busy = true;
      try {
        await api.put("/me/password", { old: form.old, new: form.fresh });
        session_.leave("密码已修改，请用新密码重新登录。"); // every sign-in of the account has ended
      } catch (problem) {
        if (problem.code === "wrong_password") errors.value = { old: problem.message };
        else if (problem.status === 422) errors.value = { fresh: problem.fields.new || problem.message };
        else say(problem);
      } finally {
        form.busy = false;
      }
    }
    async function guarded(work) {
      totp.busy = true;
      totp.wrong = "";
      try {
        await work();
      } catch (problem) {
        if (["wrong_totp", "wrong_password", "invalid"].includes(problem.code)) totp.wrong = problem.fields.code || problem.message;
        else say(problem);
      } finally {
        totp.busy = false;
      }
    }
    const offer = () => guarded(async () => {
      totp.code = "";
      totp.offer = await api.post("/me/totp");
    });
    const secret = () => new URLSearchParams(totp.offer.uri.split("?")[1]).get("secret").replace(/(.{4})/g, "$1 ").trim();
    const confirm = () => guarded(async () => {
      await api.put("/me/totp", { code: totp.code.trim() });
      Object.assign(totp, { offer: null, code: "" });
      session.totp = true;
      done("身份验证器已开启，下次登录要输入6位数字。");
    });
    const end = () => guarded(async () => {
      await api.post("/me/totp/end", { password: totp.password });
      Object.assign(totp, { ending: false, password: "" });
      session.totp = false;
      done("身份验证器已关闭。");
    });
    return { session, form, errors, totp, change, offer, secret, confirm, end, ROLES, word };
  },
  template: `
    <div class="page narrow-page">
      <h1>我的账号</h1>
      <section class="panel"><dl class="facts one"><div><dt>岗位</dt><dd>{{ word(ROLES, session.role) }}</dd></div><div><dt>管理范围</dt><dd>{{ session.area || '—' }}</dd></div></dl></section>
      <section class="panel"><h2>修改密码</h2>
        <el-form label-position="top" @submit.prevent="change" class="slim">
          <el-form-item label="现在的密码" :error="errors.old"><el-input v-model="form.old" type="password" show-password autocomplete="current-password" maxlength="200" aria-label="现在的密码" data-testid="old-password"/></el-form-item>
          <el-form-item label="新密码（至少10位）" :error="errors.fresh"><el-input v-model="form.fresh" type="password" show-password autocomplete="new-password" maxlength="200" aria-label="新密码" data-testid="new-password"/></el-form-item>
          <el-form-item label="再写一遍新密码" :error="errors.again"><el-input v-model="form.again" type="password" show-password autocomplete="new-password" maxlength="200" aria-label="再写一遍新密码" data-testid="new-password-again"/></el-form-item>
          <el-button type="primary" native-type="submit" :loading="form.busy" data-testid="change-password">修改密码</el-button>
        </el-form></section>
      <section class="panel"><div class="panel-head"><h2>身份验证器</h2><el-tag :type="session.totp ? 'success' : 'info'" disable-transitions data-testid="totp-state">{{ session.totp ? '已开启' : '没有开启' }}</el-tag></div>
        <p>开启后，登录时除了密码还要输入手机验证器（如“腾讯身份验证器”）里的6位数字，密码泄露了别人也进不来。</p>
        <template v-if="totp.offer">
          <ol class="totp-steps"><li>用验证器扫这个二维码：<img :src="totp.offer.qr" alt="身份验证器二维码" width="200" height="200" data-testid="totp-qr"></li>
            <li>扫不了的，手工输入密钥：<span class="mono" data-testid="totp-secret">{{ secret() }}</span></li>
            <li>输入验证器里现在的6位数字：<div class="line"><el-input v-model="totp.code" inputmode="numeric" maxlength="6" autocomplete="one-time-code" aria-label="6位数字" data-testid="totp-code" @keyup.enter="confirm"/>
              <el-button type="primary" :disabled="!/^\\d{6}$/.test(totp.code.trim())" :loading="totp.busy" @click="confirm" data-testid="totp-confirm">开启</el-button><el-button @click="totp.offer = null">取消</el-button></div></li></ol>
        </template>
        <template v-else-if="totp.ending"><label class="label" for="totp-password">输入密码，确认关闭</label><div class="line"><el-input id="totp-password" v-model="totp.password" type="password" show-password autocomplete="current-password" data-testid="totp-password"/>
          <el-button type="danger" :disabled="!totp.password" :loading="totp.busy" @click="end" data-testid="totp-end">关闭</el-button><el-button @click="totp.ending = false">取消</el-button></div></template>
        <el-button v-else-if="session.totp" @click="totp.ending = true" data-testid="totp-off">关闭身份验证器</el-button>
        <el-button v-else type="primary" :loading="totp.busy" @click="offer" data-testid="totp-on">开启身份验证器</el-button>
        <p v-if="totp.wrong" class="note bad" role="alert" data-testid="totp-error">{{ totp.wrong }}</p>
      </section>
    </div>`,
};
