// What the Rust side would receive: the answers that Tauri's plugin manager hands to its native function.
package app.secure_token.standin

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import org.json.JSONObject
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements

/** One answer as JSON: exactly one of the two is set. */
class Answer(val success: String?, val error: String?) {
  val value: JSONObject get() = JSONObject(success ?: throw AssertionError("rejected: $error"))
  val code: String get() = failure.getString("code")
  val message: String get() = failure.getString("message")
  private val failure get() = JSONObject(error ?: throw AssertionError("a rejection was expected: $success"))
}

object Answers {
  private val byCall = ConcurrentHashMap<Int, LinkedBlockingQueue<Answer>>()
  private val order = LinkedBlockingQueue<Int>()

  fun reset() {
    byCall.clear()
    order.clear()
  }

  fun add(call: Int, answer: Answer) {
    // Before the answer can be taken: who has it may ask for the order at once.
    order.add(call)
    of(call).add(answer)
  }

  /** Waits for the answer of [call]. */
  fun take(call: Int): Answer =
    of(call).poll(20, TimeUnit.SECONDS) ?: throw AssertionError("call $call was not answered in 20 s")

  /** How many answers of [call] have come that nobody took. */
  fun waiting(call: Int) = of(call).size

  /** The calls in the order of their answers. */
  fun calls(): List<Int> = order.toList()

  private fun of(call: Int) = byCall.getOrPut(call, ::LinkedBlockingQueue)
}

/** Takes the place of the native function: there is no Rust side here. */
@Implements(className = "app.tauri.plugin.PluginManager")
class ShadowPluginManager {
  @Implementation
  fun handlePluginResponse(call: Int, success: String?, error: String?) = Answers.add(call, Answer(success, error))
}
