// The photo that attempts are compared with, and the consent to it. The photo is fetched only on demand: every look is audited.

import * as api from "../api.js";
import LoadState from "./load-state.js";
import SecureImage from "./secure-image.js";
import StateTag from "./state-tag.js";
import YIcon from "./icon.js";
import { done, loader, say, sure } from "./ui.js";
import { minute, REASON, SOURCE, word } from "../words.js";

const { onBeforeUnmount, onMounted, ref, watch } = Vue;
const LARGEST = 10 * 1024 * 1024;
const LOOK_AGAIN = 1500;
const UNLOCK_REASONS = ["已见到本人，是本人操作", "已电话核实，是本人或家人操作", "登记照片太旧，已换新照片"];

export default {
  name: "FacePanel",
  components: { LoadState, SecureImage, StateTag, YIcon },
  props: { retiree: { type: Object, required: true }, asked: { type: Number, default: 0 } }, // asked: counts the presses of 登记照片 elsewhere
  emits: ["changed"],
  setup(props, { emit }) {
    const path = () => `/retirees/${props.retiree.id}/face`;
    const { data, loading, error, load } = loader(() => api.get(path()));
    const shown = ref(false);
    const looks = ref(0);
    const uploading = ref(false);
    const busy = ref(false);
    const unlocking = ref(false);
    const reason = ref("");
    const file = ref(null);
    const preview = ref("");
    const paper = ref(false);
    const wrong = ref("");
    const text = ref(null);
    const input = ref(null);
    let timer = 0;

    const drop = () => {
      if (preview.value) URL.revokeObjectURL(preview.value);
      preview.value = "";
      file.value = null;
    };
    async function poll() {
      clearTimeout(timer);
      await load();
      if (data.value?.state === "pending") timer = setTimeout(poll, LOOK_AGAIN);
      else emit("changed");
    }
    function begin() {
      drop();
      wrong.value = "";
      paper.value = false;
      uploading.value = true;
    }
    function choose(event) {
      drop();
      wrong.value = "";
      const [chosen] = event.target.files;
      event.target.value = "";
      if (!chosen) return;
      if (!/^image\/(jpeg|png|webp)$/.test(chosen.type)) wrong.value = "请选择照片（JPG、PNG 或 WebP）。";
      else if (chosen.size > LARGEST) wrong.value = "照片太大了，请换一张10MB以内的。";
      else {
        file.value = chosen;
        preview.value = URL.createObjectURL(chosen);
      }
    }
    async function send() {
      busy.value = true;
      wrong.value = "";
      const form = new FormData();
      form.append("photo", file.value);
      form.append("consent_on_paper", paper.value ? "true" : "false");
      try {
        await api.upload("PUT", path(), form);
        uploading.value = false;
        shown.value = false;
        drop();
        done("照片已收到，正在检查。");
        poll();
      } catch (problem) {
        wrong.value = problem.fields?.photo || problem.message;
      } finally {
        busy.value = false;
      }
    }
    async function withdraw() {
      const go = await sure("会马上删除登记照片、脸部特征和还保存着的认证照片，正在审核的也会结束，不能恢复。本人仍可以到窗口、请人上门或视频认证。", "撤回同意并删除", "撤回并删除", "error");
      if (!go) return;
      busy.value = true;
      try {
        await api.remove(path());
        shown.value = false;
        done("已撤回同意，人脸信息已删除。");
        await load();
        emit("changed");
      } catch (problem) {
        say(problem);
      } finally {
        busy.value = false;
      }
    }
    function beginUnlock() {
      reason.value = "";
      unlocking.value = true;
    }
    async function unlock() {
      busy.value = true;
      try {
        data.value = await api.post(`${path()}/unlock`, { reason: reason.value.trim() });
        done("已恢复人脸认证。");
      } catch (problem) {
        say(problem);
        if (problem.code !== "not_locked") return;
        await load();
      } finally {
        busy.value = false;
      }
      unlocking.value = false;
      emit("changed");
    }
    async function readText() {
      try {
        text.value = await api.get("/consent-texts/face");
      } catch (problem) {
        say(problem);
      }
    }
    const look = () => {
      looks.value += 1;
      shown.value = true;
    };
    onMounted(poll);
    watch(() => props.retiree.id, poll);
    onBeforeUnmount(() => {
      clearTimeout(timer);
      drop();
    });
    watch(() => props.asked, (times) => times && begin(), { immediate: true });
    return { data, loading, error, load, shown, looks, uploading, busy, unlocking, reason, file, preview, paper, wrong, text, input, begin, choose, send, withdraw, beginUnlock, unlock, readText, look, minute, word, REASON, SOURCE, UNLOCK_REASONS };
  },
  template: `
    <load-state v-if="error" :error="error" @retry="load"/>
    <div v-else-if="data" class="face">
      <div class="face-photo">
        <secure-image v-if="shown && data.has_photo" :key="looks" :path="'/retirees/' + retiree.id + '/face/photo'" :alt="retiree.name + '的登记照片'" data-testid="face-photo"/>
        <div v-else class="photo-place"><y-icon name="photo" size="40"/>
          <p v-if="!data.has_photo">还没有登记照片</p>
          <el-button v-else @click="look" data-testid="face-look">看照片</el-button>
          <small v-if="data.has_photo">每次查看都会记入审计日志</small></div>
        <el-button v-if="shown && data.has_photo" @click="shown = false">收起照片</el-button>
      </div>
      <div class="face-facts">
        <div v-if="data.locked_at" class="note bad" role="status" data-testid="face-locked">
          <p><b>人脸认证已停用</b>（{{ minute(data.locked_at) }}）：30天内可疑的失败太多。请联系本人核实是谁在办；窗口、上门、视频不受影响。</p>
          <el-button type="primary" @click="beginUnlock" data-testid="face-unlock">解锁</el-button></div>
        <dl class="facts one">
          <div><dt>登记照片</dt><dd><state-tag kind="reference" :state="data.state" data-testid="face-state"/>
            <span v-if="data.state === 'pending'" role="status"> 正在检查，一般不到一分钟</span>
            <span v-else-if="data.changed_at" class="sub"> {{ word(SOURCE, data.source) }}，{{ minute(data.changed_at) }}</span></dd></div>
          <div v-if="data.state === 'rejected'"><dt>为什么不能用</dt><dd data-testid="face-reasons"><b class="bad-text">{{ data.reasons.map((one) => word(REASON, one)).join('、') }}</b>。请换一张正面、清楚、没有遮挡的照片。</dd></div>
          <div v-if="data.photo_wanted"><dt>系统升级</dt><dd data-testid="face-photo-wanted"><b class="warn-text">需要重新登记照片</b>。换好之前由工作人员看，不影响本人认证。</dd></div>
          <div><dt>能否自动比对</dt><dd>{{ data.enrolled ? '可以，已保存脸部特征' : data.state === 'ready' ? '还不能：本人同意后才提取脸部特征' : '还不能' }}</dd></div>
          <div><dt>本人同意</dt><dd data-testid="consent">{{ data.consent ? '已单独同意（' + data.consent.version + '版，' + minute(data.consent.given_at) + '）' : '还没有单独同意' }}
            <button type="button" class="link-button" @click="readText">看同意书</button></dd></div>
        </dl>
        <div class="buttons">
          <el-button type="primary" @click="begin" data-testid="face-begin"><y-icon name="upload" size="16"/>&nbsp;{{ data.has_photo ? '换一张照片' : '登记照片' }}</el-button>
          <el-button v-if="data.has_photo || data.enrolled || data.consent" type="danger" plain :loading="busy" @click="withdraw" data-testid="face-withdraw">撤回同意并删除</el-button>
        </div>
      </div>
      <el-dialog v-model="unlocking" :title="'恢复人脸认证：' + retiree.name" width="500" align-center append-to-body>
        <p class="hint">请先核实是谁在办。恢复后本人今天就可以再试；理由会记入审计日志。</p>
        <div class="chips" role="group" aria-label="常用理由"><button v-for="one in UNLOCK_REASONS" :key="one" type="button" class="chip" :class="{ on: reason === one }" @click="reason = one">{{ one }}</button></div>
        <el-input v-model="reason" type="textarea" :rows="3" maxlength="300" show-word-limit aria-label="理由" placeholder="至少2个字" data-testid="unlock-reason"/>
        <template #footer><el-button @click="unlocking = false">取消</el-button><el-button type="primary" :disabled="reason.trim().length < 2" :loading="busy" @click="unlock" data-testid="unlock-save">恢复</el-button></template>
      </el-dialog>
      <el-dialog v-model="uploading" :title="'登记照片：' + retiree.name" width="520" align-center append-to-body>
        <p class="hint">正面、不戴墨镜、光线均匀、只有一个人；JPG、PNG 或 WebP，10MB以内。</p>
        <label class="drop" :class="{ filled: preview }">
          <input ref="input" type="file" accept="image/jpeg,image/png,image/webp" @change="choose" data-testid="face-file">
          <img v-if="preview" :src="preview" alt="选好的照片">
          <span v-else><y-icon name="photo" size="34"/><b>点这里选照片，或用手机拍一张</b></span>
        </label>
        <p v-if="preview" class="hint">点照片可以换一张。</p>
        <el-checkbox v-model="paper" data-testid="consent-on-paper">本人已签纸质单独同意书，原件留存</el-checkbox>
        <p class="hint">没有勾选，照片只保存不比对，等本人在手机上同意后才能用。<button type="button" class="link-button" @click="readText">看同意书</button></p>
        <p v-if="wrong" class="note bad" role="alert" data-testid="face-error">{{ wrong }}</p>
        <template #footer>
          <el-button @click="uploading = false">取消</el-button>
          <el-button type="primary" :disabled="!file" :loading="busy" @click="send" data-testid="face-send">登记</el-button>
        </template>
      </el-dialog>
      <el-dialog :model-value="Boolean(text)" @update:model-value="text = null" title="人脸信息单独同意书" width="560" align-center append-to-body>
        <p v-for="one in text?.paragraphs || []" :key="one">{{ one }}</p><p class="sub">版本 {{ text?.version }}</p>
      </el-dialog>
    </div>
    <p v-else class="nothing" role="status">正在取…</p>`,
};
