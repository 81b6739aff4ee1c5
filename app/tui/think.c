/* think.c - on the screen: toggling, ending and continuing thinking, and the offer to continue
 * an interrupted answer. */
#include "app/chat/request.h"
#include "app/commands/commands.h"
#include "app/tui/tui.h"

/* A hint is enough, as the status line keeps showing it. */
static void toggle(struct tui *t)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    command_toggle_thinking(&t->chat, &reply);
    t->asking_known = false; /* the answer is opened in another way */
    ui_hint(t->ui, str_get(&reply.text));
    str_done(&reply.text);
}

void tui_act_on_thinking(struct tui *t, const struct ui_action *action)
{
    switch (action->kind) {
    case UI_THINK: toggle(t); break;
    case UI_ANSWER_NOW: tui_command(t, "/answer"); break;
    case UI_CONTINUE: tui_command(t, "/continue"); break;
    case UI_THINK_MORE: tui_command(t, "/more"); break;
    default: break;
    }
}

/* The token count of a reasoning, including its closing tag, and its duration. */
void tui_show_thought(struct tui *t, const struct turn *turn)
{
    const struct engine_usage *now = &t->chat.usage;
    struct request_thought thought = request_thought(turn->generation.settings);
    int64_t tokens = thought.continued_tokens + turn->generation.reasoning_tokens, ms = thought.ms;

    if (turn->text[STORE_REASONING].len == 0 || t->chat.options->hide_reasoning)
        return;
    if (turn == t->chat.answer) {
        tokens = now->partial_reasoning_tokens + now->reasoning_tokens;
        ms = (int64_t)t->chat.thought_ms;
    }
    ui_message_thought(t->ui, turn->number, tokens, ms);
}

/* The offer */

void tui_offer_continue(struct tui *t)
{
    char key[UI_KEY_MAX];
    struct str question = {0}, line = {0};
    if (chat_find_offer(&t->chat, &question)) {
        str_addf(&line, "interrupted: %s", question.data);
        if (!ui_key(t->ui, "continue", key))
            str_adds(&line, " \xc2\xb7 /continue resumes it");
        ui_banner(t->ui, line.data, UI_CONTINUE);
        t->offering = true;
    }
    str_done(&question);
    str_done(&line);
}

void tui_decline_continue(struct tui *t)
{
    if (t->chat.offered > 0)
        ui_hint(t->ui, "left unchanged");
    chat_decline(&t->chat);
}

/* Once it was accepted or declined, or another question was asked. */
void tui_end_offer_continue(struct tui *t)
{
    if (!t->offering || t->chat.offered > 0)
        return;
    t->offering = false;
    if (!t->editing)
        ui_banner(t->ui, NULL, UI_SEND);
}
