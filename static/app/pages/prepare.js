// Before the camera: three things in pictures, and two ways on of the same weight.

import { cameraOffered } from "../camera.js";
import { flow, underWay } from "../certifying.js";

const { useRouter } = VueRouter;

export default {
  setup() {
    if (!underWay()) useRouter().replace("/certify");
    return { camera: cameraOffered(), flow };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">先做三个准备</h1>
      <ul class="drawings">
        <li>
          <svg class="drawing" viewBox="0 0 120 120" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round">
            <circle cx="32" cy="32" r="13" class="drawing-sun"/><path d="M32 6v6M32 52v6M6 32h6M52 32h6M14 14l4 4M46 46l4 4M50 14l-4 4"/>
            <circle cx="80" cy="66" r="19" class="drawing-skin"/><path d="M48 112c2-18 14-24 32-24s30 6 32 24"/>
          </svg>
          <span><b>光线要亮</b>面朝窗户或灯光</span>
        </li>
        <li>
          <svg class="drawing" viewBox="0 0 120 120" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round">
            <circle cx="30" cy="46" r="18" class="drawing-skin"/><path d="M6 108c2-24 10-34 24-34s20 6 24 16"/>
            <rect x="92" y="26" width="20" height="42" rx="4"/><path class="drawing-arrow" d="M56 46h30M64 38l-8 8 8 8M78 38l8 8-8 8"/>
          </svg>
          <span><b>手机拿在眼前</b>离脸一小臂远，和眼睛一样高</span>
        </li>
        <li>
          <svg class="drawing" viewBox="0 0 120 120" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round">
            <circle cx="36" cy="62" r="19"/><circle cx="84" cy="62" r="19"/><path d="M55 58q5-4 10 0M17 56 8 48M103 56l9-8"/>
            <path d="M22 104 98 20" class="drawing-no"/>
          </svg>
          <span><b>摘下墨镜、口罩</b>帽子和反光的眼镜也摘下来</span>
        </li>
      </ul>
      <p v-if="flow.canDoActions">等一下请跟着提示，慢慢做两三个动作，比如转头、张嘴。</p>
      <p v-else>您不用做动作，照几张正面照片就行，由工作人员核对。</p>
      <div class="buttons-even">
        <router-link v-if="camera" to="/certify/camera" class="weui-btn btn-even" data-testid="open-camera"><app-icon name="camera"/>打开摄像头</router-link>
        <router-link v-else to="/certify/photos" class="weui-btn btn-even" data-testid="open-photos"><app-icon name="camera"/>开始拍照</router-link>
        <router-link to="/help" class="weui-btn btn-even" data-testid="cannot"><app-icon name="people"/><span><span class="phrase">我做不了动作，</span><span class="phrase">请人帮我</span></span></router-link>
      </div>
    </section>
  `,
};
