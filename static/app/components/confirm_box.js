// A plain question before something that cannot be undone, in the page itself: no window that floats and has to be closed.

const { nextTick, ref } = Vue;

export default {
  props: {
    ask: { type: String, required: true }, // what the button says at first
    question: { type: String, required: true },
    yes: { type: String, required: true },
    no: { type: String, default: "不，先不要" },
    busy: { type: Boolean, default: false },
    testid: { type: String, required: true },
  },
  emits: ["yes"],
  setup() {
    const open = ref(false);
    const first = ref(null);
    const asking = ref(null);
    function show(on) {
      open.value = on;
      nextTick(() => {
        const next = (on ? asking : first).value;
        next.focus({ preventScroll: true });
        (on ? next.parentElement : next).scrollIntoView({ block: "center" });
      });
    }
    return { asking, first, open, show };
  },
  template: /* html */ `
    <button v-if="!open" ref="first" type="button" class="weui-btn btn-even" :data-testid="testid" @click="show(true)">{{ ask }}</button>
    <div v-else class="confirm" role="group" aria-label="请确认">
      <p ref="asking" tabindex="-1" class="strong">{{ question }}</p>
      <div class="buttons-even">
        <button type="button" class="weui-btn btn-even" :disabled="busy" :data-testid="testid + '-yes'" @click="$emit('yes')">{{ yes }}</button>
        <button type="button" class="weui-btn btn-even" :data-testid="testid + '-no'" @click="show(false)">{{ no }}</button>
      </div>
    </div>
  `,
};
