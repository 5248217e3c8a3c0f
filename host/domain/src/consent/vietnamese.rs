//! Consent in Vietnamese.

use super::Code;

/// Goes around an author's own words.
pub(super) const AUTHOR: &str = "tác giả nói: “{names}”";

/// What a clause says.
pub(super) const fn template(code: Code) -> &'static str {
    match code {
        Code::TriggerMessages => "được gọi khi khách hàng viết hoặc chạm vào nút",
        Code::TriggerComment => "được gọi khi có người bình luận",
        Code::TriggerTimer => "được gọi khi hẹn giờ do nó đặt đến hạn",
        Code::TriggerResponse => "được gọi khi một điểm cuối trả lời lệnh gọi của nó",
        Code::TriggerCustom => "được gọi cho các sự kiện loại khác",
        Code::NoTriggers => "không bao giờ được gọi",
        Code::TextClear => {
            "thấy nguyên văn những gì khách hàng viết, kể cả số điện thoại, địa chỉ email, thẻ và tài khoản"
        }
        Code::TextMasked => {
            "thấy những gì khách hàng viết; số điện thoại, địa chỉ email, thẻ và tài khoản chỉ ở dạng mã thay thế"
        }
        Code::TextNone => "không thấy những gì khách hàng viết",
        Code::Attachments => "biết khách hàng đã đính kèm gì đó và thuộc loại nào",
        Code::NoAttachments => "không biết khách hàng đã đính kèm gì đó",
        Code::BusinessRecords => "đọc và sửa các bảng của doanh nghiệp: {names}",
        Code::ContactRecords => {
            "giữ bản ghi cho từng khách hàng và chỉ đọc đầy đủ bản ghi của khách hàng mà nó trả lời: {names}"
        }
        Code::SharedFields => "cũng đọc các trường này trong bản ghi của khách hàng khác: {names}",
        Code::NoRecords => "không giữ và không đọc bảng nào",
        Code::ContactFields => "đọc từ hồ sơ khách hàng: {names}",
        Code::NoContact => "không thể đọc hồ sơ khách hàng",
        Code::History => "đọc các tin nhắn trước trong cuộc trò chuyện, nhiều nhất: {names}",
        Code::NoHistory => "không thể đọc các tin nhắn trước",
        Code::LanguageModel => "hỏi các mô hình ngôn ngữ: {names}",
        Code::NoLanguageModel => "không thể hỏi mô hình ngôn ngữ nào",
        Code::Network => "đọc từ các điểm cuối của bạn: {names}",
        Code::NoNetwork => "không có mạng riêng",
        Code::Media => "mở tệp mà khách hàng gửi",
        Code::NoMedia => "không thể mở tệp mà khách hàng gửi",
        Code::EffectSay => "được trả lời khách hàng",
        Code::EffectCommentReply => "được trả lời bình luận công khai",
        Code::EffectPrivateReply => "được trả lời một bình luận bằng tin nhắn riêng",
        Code::EffectHideComment => "được ẩn bình luận",
        Code::EffectHandoff => "được chuyển cuộc trò chuyện cho nhân viên của bạn",
        Code::EffectSetAttribute => "được lưu cùng khách hàng: {names}",
        Code::EffectAddTag => "được gắn thẻ cho khách hàng",
        Code::EffectNote => "được viết ghi chú cho nhân viên của bạn",
        Code::EffectSetTimer => "được tự đặt hẹn giờ",
        Code::EffectCancelTimer => "được hủy hẹn giờ của nó",
        Code::EffectSendTemplate => "được gửi mẫu tin nhắn",
        Code::EffectCall => "được gọi các điểm cuối của bạn và thay đổi dữ liệu ở đó: {names}",
        Code::EffectCustom => "được đề xuất các tác động loại khác",
        Code::NoEffects => "không thể gửi hay thay đổi gì",
        Code::NoPublicReply => "không thể trả lời công khai",
        Code::NoCall => "không thể gọi điểm cuối nào để thay đổi dữ liệu",
        Code::Flows => "được chuyển dữ liệu cá nhân ở dạng rõ, như bạn cho phép, từ đâu đến đâu: {names}",
        Code::Links => "được gửi liên kết tới: {names}",
        Code::NoLinks => "không được gửi liên kết",
    }
}
