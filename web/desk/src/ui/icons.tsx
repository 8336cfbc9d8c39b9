// SPDX-License-Identifier: EUPL-1.2
//! The desk's own icons: 20 × 20, one stroke. They are decoration; the name of
//! a control is always on the control.

import type { ReactNode, SVGProps } from "react";

export type IconProps = SVGProps<SVGSVGElement> & { size?: number };
export type Icon = (props: IconProps) => ReactNode;

function icon(content: ReactNode): Icon {
  return function Drawn({ size = 18, ...rest }: IconProps) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth={1.6}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
        {...rest}
      >
        {content}
      </svg>
    );
  };
}

export const InboxIcon = icon(<path d="M3 11.5h4l1 2h4l1-2h4M3 11.5 5 4h10l2 7.5V16H3z" />);
export const SearchIcon = icon(<path d="M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.3-1.7L17 17" />);
export const SettingsIcon = icon(
  <path d="M3 6h8m4 0h2M3 14h2m4 0h8M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm-6 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z" />,
);
export const ShieldIcon = icon(<path d="M10 2.8 4 5v4.6c0 3.6 2.5 6.4 6 7.6 3.5-1.2 6-4 6-7.6V5z" />);
export const SealedIcon = icon(
  <path d="M10 2.8 4 5v4.6c0 3.6 2.5 6.4 6 7.6 3.5-1.2 6-4 6-7.6V5zM7.4 9.9l1.9 1.9 3.4-3.7" />,
);
export const MailIcon = icon(<path d="M3 5h14v10H3zm.4.5L10 10.8l6.6-5.3" />);
export const ReplyIcon = icon(<path d="M8 5 3.5 9.5 8 14M4 9.5h7c3.3 0 5.5 1.9 5.5 5.5" />);
export const ReplyAllIcon = icon(<path d="M6.500 5.500 2.500 9.500l4 4M11 5 6.500 9.500 11 14M7 9.500h5c3 0 5 1.700 5 5" />);
export const PassOnIcon = icon(<path d="m12 5 4.500 4.500L12 14m4-4.500H9c-3.300 0-5.500 1.900-5.500 5.500" />);
export const FormatIcon = icon(<path d="M3 15 7.500 4.500 12 15M4.600 11.500h5.800M13.500 15l2.500-5.500 2.500 5.500m-4.100-1.600h3.200" />);
export const BulletsIcon = icon(<path d="M8 5h9M8 10h9M8 15h9M3.500 5h.1m-.1 5h.1m-.1 5h.1" />);
export const NumbersIcon = icon(<path d="M8 5h9M8 10h9M8 15h9M3 3.500l1-.5v4M3 11.500h2v1.500l-2 2v1h2" />);
export const QuoteIcon = icon(<path d="M4 4v12M8 6h9M8 10h9M8 14h6" />);
export const LinkIcon = icon(<path d="m8.500 11.500 3-3M9 6l1.500-1.500a3.500 3.500 0 0 1 5 5L14 11M11 14l-1.500 1.500a3.500 3.500 0 0 1-5-5L6 9" />);
export const LockIcon = icon(<path d="M5 9h10v8H5zm2-.2V6.5a3 3 0 0 1 6 0v2.3" />);
export const CheckIcon = icon(<path d="m4 10.5 4 4 8-9" />);
export const ClockIcon = icon(<path d="M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-11v4.2l2.6 1.6" />);
export const UserIcon = icon(<path d="M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Zm-6 7c.4-3 2.7-4.6 6-4.6s5.6 1.6 6 4.6" />);
export const UsersIcon = icon(
  <path d="M7.5 9.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Zm-5 6.6c.3-2.6 2.2-4 5-4s4.7 1.4 5 4M13 4.2a2.7 2.7 0 0 1 0 5.2m2 2.9c1.5.6 2.3 1.9 2.5 3.8" />,
);
export const CloseIcon = icon(<path d="m5 5 10 10M15 5 5 15" />);
export const BackIcon = icon(<path d="m12 4-6 6 6 6" />);
export const ForwardIcon = icon(<path d="m8 4 6 6-6 6" />);
export const ArchiveIcon = icon(<path d="M3 4.5h14v3H3zM4.5 7.5v8h11v-8M8 10.5h4" />);
export const RestoreIcon = icon(<path d="M4 8h8a4 4 0 0 1 0 8H8M4 8l3-3M4 8l3 3" />);
export const FieldsIcon = icon(<path d="M3 4h14v5H3zM3 12h6v4H3zM12 12h5v4h-5z" />);
export const DownIcon = icon(<path d="m5 7.5 5 5 5-5" />);
export const UpIcon = icon(<path d="m5 12.5 5-5 5 5" />);
export const PanelIcon = icon(<path d="M3 4h14v12H3zM12.5 4v12" />);
export const ClipIcon = icon(
  <path d="m15.5 9.5-5.7 5.7a3.5 3.5 0 0 1-5-5l6-6a2.3 2.3 0 0 1 3.3 3.3l-6 6a1.2 1.2 0 0 1-1.7-1.7l5.3-5.3" />,
);
export const FileIcon = icon(<path d="M5 3h6.5L15 6.5V17H5zm6.5 0v3.5H15" />);
export const DownloadIcon = icon(<path d="M10 3v9m-3.5-3.5L10 12l3.5-3.5M4 16.5h12" />);
export const WarnIcon = icon(<path d="M10 3.5 2.5 16.5h15zM10 8.5v3.5m0 2.3v.1" />);
export const InfoIcon = icon(<path d="M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-8v4.5m0-7v.1" />);
export const RetryIcon = icon(<path d="M4 10a6 6 0 1 1 1.8 4.3M4 5.5V10h4.5" />);
export const PlusIcon = icon(<path d="M10 4v12M4 10h12" />);
export const MoreIcon = icon(<path d="M4.5 10h.1m5.4 0h.1m5.4 0h.1" strokeWidth={2.4} />);
export const KeyIcon = icon(<path d="M7 16a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm2.5-6L16 3.5m-2.5 2.5 2 2" />);
export const CopyIcon = icon(<path d="M7.5 7.5H16V16H7.5zM12.5 7.5V4H4v8.5h3.5" />);
export const PencilIcon = icon(<path d="m4 16 .8-3.4L13 4.4a1.3 1.3 0 0 1 1.9 0l.7.7a1.3 1.3 0 0 1 0 1.9L7.4 15.2z" />);
export const PauseIcon = icon(<path d="M7 4.5v11m6-11v11" />);
export const WriteIcon = icon(<path d="M17 3 2.500 8.500l6 3 3 6zM17 3l-8.500 8.500" />);
export const PlayIcon = icon(<path d="M6.5 4.5v11l9-5.5z" />);
export const TrashIcon = icon(<path d="M4 6h12M8 6V3.5h4V6M5.5 6l.8 11h7.4l.8-11" />);
export const BookIcon = icon(<path d="M5 3h11v14H5a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 5 3Zm-1.5 12.5A1.5 1.5 0 0 1 5 14h11M7.5 6.5H13" />);
export const DeviceIcon = icon(<path d="M3 4h14v9H3zm4 12.5h6M10 13v3.5" />);
export const OutIcon = icon(<path d="M8 4H4v12h4m4-9 3.5 3L12 13m3.3-3H8" />);
export const DeadLetterIcon = icon(<path d="M3 5h14v10H3zm.4.5L10 10.8l6.6-5.3M8 12.7l4 .1" />);
export const ImageOffIcon = icon(<path d="M4 4h12v12H4zM4 13l3.5-3.5 3 3M3 3l14 14" />);
export const BoltIcon = icon(<path d="M11 3 4.5 11.5H9.5L9 17l6.5-8.5h-5z" />);
export const HashIcon = icon(<path d="M4 7.5h12M4 12.5h12M8 4 6.5 16M13.5 4 12 16" />);
export const CalendarIcon = icon(<path d="M3.5 5h13v12h-13zM3.500 8.500h13M7 3v3.500M13 3v3.500" />);
export const PrintIcon = icon(<path d="M6 7V3h8v4M6 14H3V7h14v7h-3M6 12h8v5H6z" />);
export const ImageIcon = icon(<path d="M4 4h12v12H4zM4 13l3.500-3.500 3 3 2-2L16 14M12.500 7.500h.1" />);
export const TagIcon = icon(<path d="M3.5 3.5h6l7 7-6 6-7-7zM7 7v.1" />);
export const SnoozeIcon = icon(<path d="M10 17.5a6.3 6.3 0 1 0 0-12.6 6.3 6.3 0 0 0 0 12.6Zm0-9.5v3.400l2.200 1.3M5 2.800 2.5 5M15 2.800 17.5 5" />);
export const MoveIcon = icon(<path d="M3 5.5h5l1.5 2H17V16H3zM8 11.700h5m-2-2 2 2-2 2" />);
export const QueueIcon = icon(<path d="M3 4.500h14v4H3zM3 11.500h14v4H3zM6 6.500h.1M6 13.500h.1" />);
export const ViewsIcon = icon(<path d="M3 5.5h14M5.5 10h9M8 14.5h4" />);
export const MergeIcon = icon(<path d="M5 3.500v3c0 3 5 3 5 6.500v4M15 3.500v3c0 3-5 3-5 6.500m-2.500 1.500L10 17l2.500-2.500" />);
export const SplitIcon = icon(<path d="M10 3v4c0 3.500-5 3.500-5 6.500V17M10 7c0 3.500 5 3.500 5 6.500V17m-12-2.300L5 17l2-2.300m6 0 2 2.300 2-2.300" />);
export const BellIcon = icon(<path d="M10 3a4.500 4.500 0 0 0-4.500 4.500c0 3.500-1 5-2 6h13c-1-1-2-2.500-2-6A4.500 4.500 0 0 0 10 3ZM8.300 16.200a1.800 1.800 0 0 0 3.400 0" />);
export const AtIcon = icon(<path d="M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm3-6v3.800c0 3 4 2.800 4-.8a7 7 0 1 0-3 5.700" />);
export const PushIcon = icon(<path d="M6.500 4h7v12h-7zM9.300 13.500h1.400M3.500 7v6M16.500 7v6" />);
export const ContactsIcon = icon(<path d="M5.500 3H16v14H5.500zM3.500 6.500h2m-2 3.500h2m-2 3.500h2M10.700 9.800a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400Zm-2.900 4c.2-1.600 1.300-2.400 2.900-2.400s2.700.8 2.900 2.400" />);
export const FilterIcon = icon(<path d="M3 4.500h14l-5.500 6.200V16l-3-1.500v-3.800z" />);
export const ColumnsIcon = icon(<path d="M3 4h14v12H3zM8 4v12M12.500 4v12" />);
export const SortIcon = icon(<path d="M6.500 4v12m-3-3 3 3 3-3M13.500 16V4m-3 3 3-3 3 3" />);
