// Whom does this phone act for: oneself or a relative. Name and ID number, then a code to the telephone on record.

import * as api from "../api.js";
import { RELATIONS, announce, choose, loadMe, state } from "../store.js";
import { idInGroups, idNumberFault } from "../words.js";

const { nextTick, reactive, ref } = Vue;
const { useRouter } = VueRouter;

export default {
  setup() {
    const router = useRouter();
    const form = reactive({ relation: "", name: "", id_number: "", code: "" });
    const errors = reactive({ relation: "", name: "", id_number: "", code: "", other: "" });
    const waiting = ref(null); // the binding that waits for its code
    const busy = ref(false);
    const first = !state.me.retirees.length;

    function clear() {
      Object.keys(errors).forEach((field) => (errors[field] = ""));
    }

    async function attempt(work) {
      if (busy.value) return;
      busy.value = true;
      try {
        await work();
      } catch (error) {
        Object.keys(errors).forEach((field) => (errors[field] = error.of ? error.of(field) : ""));
        if (!Object.values(errors).some(Boolean)) errors.other = error.message;
      } finally {
        busy.value = false;
        toFirstWrong();
      }
    }

    function toFirstWrong() {
      nextTick(() => {
        const wrong = document.querySelector("#main input[aria-invalid=true]");
        if (wrong) wrong.focus();
      });
    }

    function send() {
      clear();
      form.name = form.name.replace(/\s/g, "");
      form.id_number = form.id_number.replace(/\s/g, "").toUpperCase();
      if (!form.relation) errors.relation = "请先选一选为谁办理。";
      if (!form.name) errors.name = "请填写姓名。";
      errors.id_number = idNumberFault(form.id_number);
      if (errors.relation || errors.name || errors.id_number) {
        toFirstWrong();
        return;
      }
      attempt(async () => {
        const { relation, name, id_number } = form;
        const binding = await api.post("/me/bindings", { relation, name, id_number });
        if (binding.state === "confirmed") return bound(binding.retiree);
        waiting.value = binding;
        nextTick(() => document.querySelector("#main h1").focus());
      });
    }

    function confirm() {
      clear();
      form.code = form.code.replace(/\D/g, "");
      if (form.code.length !== 6) {
        errors.code = "验证码是6位数字，请看短信。";
        return;
      }
      attempt(async () => {
        const binding = await api.post(`/me/bindings/${waiting.value.id}/confirmation`, { code: form.code });
        await bound(binding.retiree);
      });
    }

    async function bound(person) {
      await loadMe();
      choose(person.id);
      announce(`绑定成功，现在为${person.name}办理`);
      router.replace("/");
    }

    function again() {
      clear();
      form.code = "";
      waiting.value = null;
    }

    return { RELATIONS, again, busy, confirm, errors, first, form, idInGroups, send, waiting };
  },
  template: /* html */ `
    <section class="page">
      <form v-if="!waiting" novalidate @submit.prevent="send">
        <h1 class="title" tabindex="-1">您为谁办理？</h1>
        <p v-if="first">第一次使用，请照身份证填写一次，以后不用再填。</p>
        <fieldset class="choices choices-two" :aria-invalid="errors.relation ? 'true' : null">
          <legend>办理认证的人是</legend>
          <label v-for="(words, relation) in RELATIONS" :key="relation" class="choice" :class="{ chosen: form.relation === relation }">
            <input v-model="form.relation" type="radio" name="relation" :value="relation" :data-testid="'relation-' + relation">
            <span>{{ words.ask }}</span>
          </label>
          <p v-if="errors.relation" class="error" role="alert"><app-icon name="alert"/><span>{{ errors.relation }}</span></p>
        </fieldset>
        <text-field v-model="form.name" :label="form.relation === 'self' ? '您的姓名' : '退休人员的姓名'" autocomplete="off"
          maxlength="25" :error="errors.name" data-testid="name"/>
        <text-field v-model="form.id_number" :label="form.relation === 'self' ? '您的身份证号' : '退休人员的身份证号'" autocomplete="off"
          autocapitalize="characters" spellcheck="false" maxlength="24" hint="18位，最后一位可能是字母X" :error="errors.id_number"
          :read-back="form.id_number.length > 6 ? idInGroups(form.id_number.replace(/\\s/g, '').toUpperCase()) : ''" data-testid="id-number"/>
        <p v-if="errors.other" class="error" role="alert" data-testid="form-error"><app-icon name="alert"/><span>{{ errors.other }}</span></p>
        <button type="submit" class="weui-btn weui-btn_primary" :disabled="busy" data-testid="bind">
          {{ busy ? "正在核对…" : "下一步" }}
        </button>
      </form>
      <form v-else novalidate @submit.prevent="confirm">
        <h1 class="title" tabindex="-1">请再确认一下</h1>
        <p>为了安全，我们给登记的手机 <b class="nowrap">{{ waiting.phone }}</b> 发了验证码。请看那部手机的短信；不在身边的话，打个电话问一问。</p>
        <div v-if="waiting.demo_code" class="bar" data-testid="demo-code">
          <p>演示环境：验证码 <b>{{ waiting.demo_code }}</b></p>
          <button type="button" class="chip" data-testid="fill-code" @click="form.code = waiting.demo_code">填入</button>
        </div>
        <text-field v-model="form.code" label="6位验证码" inputmode="numeric" autocomplete="one-time-code" maxlength="6"
          :error="errors.code" data-testid="code"/>
        <p v-if="errors.other" class="error" role="alert" data-testid="form-error"><app-icon name="alert"/><span>{{ errors.other }}</span></p>
        <button type="submit" class="weui-btn weui-btn_primary" :disabled="busy" data-testid="confirm-binding">
          {{ busy ? "正在核对…" : "确定" }}
        </button>
        <button type="button" class="weui-btn btn-plain" data-testid="bind-again" @click="again">返回修改，或重新发送</button>
      </form>
    </section>
  `,
};
