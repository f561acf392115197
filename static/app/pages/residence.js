// Where the person lives now; the pension office asks for it with each certification.

import { flow, underWay } from "../certifying.js";
import { RESIDENCES } from "../words.js";

const { ref } = Vue;
const { useRouter } = VueRouter;

export default {
  setup() {
    const router = useRouter();
    if (!underWay()) router.replace("/certify");
    const kind = ref(flow.residence ? flow.residence.kind : "");
    const place = ref(flow.residence ? flow.residence.place : "");
    const error = ref("");
    function next() {
      if (!kind.value) {
        error.value = "请选一个，再点“下一步”。";
        return;
      }
      flow.residence = { kind: kind.value, place: kind.value === "local" ? "" : place.value.trim() };
      router.push("/certify/prepare");
    }
    return { RESIDENCES, error, kind, next, place };
  },
  template: /* html */ `
    <section class="page">
      <form novalidate @submit.prevent="next">
        <h1 class="title" tabindex="-1" id="where">现在住在哪里？</h1>
        <fieldset class="choices" aria-labelledby="where">
          <label v-for="(words, value) in RESIDENCES" :key="value" class="choice" :class="{ chosen: kind === value }">
            <input v-model="kind" type="radio" name="kind" :value="value" :data-testid="'residence-' + value">
            <span>{{ words }}</span>
          </label>
        </fieldset>
        <text-field v-if="kind && kind !== 'local'" v-model="place" label="具体地方（可以不填）" hint="比如：广东省深圳市" maxlength="100" data-testid="residence-place"/>
        <p v-if="error && !kind" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
        <button type="submit" class="weui-btn weui-btn_primary" data-testid="next">下一步</button>
      </form>
    </section>
  `,
};
